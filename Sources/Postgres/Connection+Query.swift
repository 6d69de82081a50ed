import CLibPQ

extension Connection {
  /// Runs one statement with parameters in text form and gives its result.
  ///
  /// - Parameter purpose: what it is for, to stand after "cannot" in an error.
  /// - Parameter timeoutMilliseconds: our own limit; the server's `statement_timeout` stands beside it.
  @discardableResult
  public func query(
    _ sql: String, _ parameters: [Parameter] = [], purpose: String, timeoutMilliseconds: Int? = nil
  ) throws(PostgresError) -> QueryResult {
    let deadline = timeoutMilliseconds.map { Deadline.after(milliseconds: $0) }
    let sent = withLibPQParameters(parameters) { values, count in
      PQsendQueryParams(handle, sql, count, nil, values, nil, nil, 0)
    }
    guard sent == 1 else { throw .connectionLost(purpose: purpose, message: message) }
    do throws(PostgresError) {
      return try finish(purpose: purpose, deadline: deadline)
    } catch {
      guard case .timedOut = error, let timeoutMilliseconds else { throw error }
      throw .timedOut(purpose: purpose, milliseconds: timeoutMilliseconds)
    }
  }

  /// From now on transactions of this session write nothing unless they ask to.
  ///
  /// No setting of the connection's start: a session that begins read-only is one that target_session_attrs=read-write
  /// turns away, on a primary too.
  public func makeReadOnly() throws(PostgresError) {
    try query("SET default_transaction_read_only = on", purpose: "make the session read-only")
  }

  /// Runs several statements separated by semicolons, without parameters, as one simple query: one transaction
  /// unless they say otherwise. Gives the last result.
  @discardableResult
  public func script(_ sql: String, purpose: String) throws(PostgresError) -> QueryResult {
    guard PQsendQuery(handle, sql) == 1 else { throw .connectionLost(purpose: purpose, message: message) }
    return try finish(purpose: purpose, deadline: nil)
  }

  /// Prepares a statement under a name.
  public func prepare(_ name: String, _ sql: String, purpose: String) throws(PostgresError) {
    guard PQsendPrepare(handle, name, sql, 0, nil) == 1 else {
      throw .connectionLost(purpose: purpose, message: message)
    }
    _ = try finish(purpose: purpose, deadline: nil)
  }

  /// Runs `body` in a transaction: commits when it returns, rolls back when it throws.
  public func transaction<Result>(
    _ begin: String = "BEGIN", purpose: String, _ body: () throws(PostgresError) -> Result
  ) throws(PostgresError) -> Result {
    try query(begin, purpose: purpose)
    let result: Result
    do {
      result = try body()
    } catch {
      if isOpen, !error.isConnectionGone {
        // The first error is the one to tell; a failing rollback means the session is gone, and so is the work.
        _ = try? query("ROLLBACK", purpose: "roll back")
      }
      throw error
    }
    try query("COMMIT", purpose: purpose)
    return result
  }

  func finish(purpose: String, deadline: Deadline?) throws(PostgresError) -> QueryResult {
    try flush(purpose: purpose, deadline: deadline)
    var last: QueryResult?
    var failure: ServerError?
    while let result = try nextResult(purpose: purpose, deadline: deadline) {
      switch result.status {
      case PGRES_FATAL_ERROR, PGRES_BAD_RESPONSE:
        if failure == nil { failure = result.error(purpose: purpose) }
      case PGRES_COPY_IN, PGRES_COPY_OUT, PGRES_COPY_BOTH:
        throw .unexpected(purpose: purpose, what: "the statement started a COPY")
      default: last = result
      }
    }
    if let failure {
      guard isOpen else { throw .connectionLost(purpose: purpose, message: failure.message) }
      throw .server(failure)
    }
    guard let last else { throw .connectionLost(purpose: purpose, message: message) }
    return last
  }
}
