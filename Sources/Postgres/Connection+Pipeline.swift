import CLibPQ

/// One statement of a pipeline.
public struct PipelineStatement: Sendable {
  /// The name it was prepared under.
  public var name: String
  /// Its values.
  public var parameters: [Parameter]

  /// A prepared statement with its values.
  public init(_ name: String, _ parameters: [Parameter] = []) {
    self.name = name
    self.parameters = parameters
  }
}

extension Connection {
  /// Sends prepared statements in one flight, closed by one Sync: the server runs them as one transaction and
  /// commits it at the Sync (protocol.sgml, "Pipelining"). Returns once they are on their way; other work can be
  /// done until `finishPipeline` collects the answers.
  ///
  /// - Parameter beforeSync: runs when the server has answered and not yet been told to commit; costs a round trip.
  public func startPipeline(
    _ statements: [PipelineStatement], purpose: String, beforeSync: (() -> Void)? = nil
  ) throws(PostgresError) {
    guard PQpipelineStatus(handle) != PQ_PIPELINE_OFF || PQenterPipelineMode(handle) == 1 else {
      throw .connectionLost(purpose: purpose, message: message)
    }
    for statement in statements {
      let sent = withLibPQParameters(statement.parameters) { values, count in
        PQsendQueryPrepared(handle, statement.name, count, values, nil, nil, 0)
      }
      guard sent == 1 else { throw .connectionLost(purpose: purpose, message: message) }
    }
    if let beforeSync {
      guard PQsendFlushRequest(handle) == 1 else { throw .connectionLost(purpose: purpose, message: message) }
      try flush(purpose: purpose, deadline: nil)
      _ = wait(read: true, write: false, deadline: .after(milliseconds: 10_000))
      beforeSync()
    }
    guard PQpipelineSync(handle) == 1 else { throw .connectionLost(purpose: purpose, message: message) }
    try flush(purpose: purpose, deadline: nil)
  }

  /// Collects the answers of the flight started last: a result for each statement.
  ///
  /// When one failed the server has rolled all of them back; the first error is thrown and the session stands.
  public func finishPipeline(purpose: String) throws(PostgresError) -> [QueryResult] {
    var results: [QueryResult] = []
    var failure: ServerError?
    var nothingTwice = 0
    collecting: while true {
      guard let result = try nextResult(purpose: purpose, deadline: nil) else {
        // One nil stands between two statements; more of them without a result mean that the session broke.
        nothingTwice += 1
        guard nothingTwice < 3, isOpen else {
          throw .connectionLost(purpose: purpose, message: failure?.message ?? message)
        }
        continue
      }
      nothingTwice = 0
      switch result.status {
      case PGRES_PIPELINE_SYNC: break collecting
      case PGRES_PIPELINE_ABORTED: continue
      case PGRES_FATAL_ERROR, PGRES_BAD_RESPONSE:
        if failure == nil { failure = result.error(purpose: purpose) }
        guard isOpen else { throw .connectionLost(purpose: purpose, message: failure?.message ?? message) }
      default: results.append(result)
      }
    }
    guard PQexitPipelineMode(handle) == 1 else { throw .connectionLost(purpose: purpose, message: message) }
    if let failure { throw .server(failure) }
    return results
  }
}
