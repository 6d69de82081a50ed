import Postgres

/// Whether something stands between us and the server that hands its sessions round.
struct PoolerFacts: Equatable, Sendable {
  /// The process id that the connection was told at its start.
  var toldPID: Int32
  /// The process ids that answered, in the order in which they were asked.
  var answeredPIDs: [Int64]
  /// Whether another session of ours was answered by the process that answers this one, or found none free.
  var sharesProcess: Bool
  /// Whether the settings that we asked for at the start hold.
  var keepsSettings: Bool

  /// A server tells each session its own process id; a pooler makes one up.
  var isPooled: Bool { answeredPIDs.contains { $0 != Int64(toldPID) } }

  /// Seen to give one session's process to another.
  var isByTransaction: Bool { sharesProcess || Set(answeredPIDs).count > 1 }

  var finding: Finding {
    let subject = "pooler"
    let fix =
      "name the server itself in source.connection, or a pool with pool_mode = session that keeps the settings of the start"
    guard isPooled else { return .pass(subject, "none: the server's own process answers us") }
    if isByTransaction {
      return .fail(
        subject,
        "a pooler gives our session's server process to others between two transactions: settings and advisory locks "
          + "of a session would be somebody else's, and replication is not to be had through it", fix: fix)
    }
    guard keepsSettings else {
      return .fail(
        subject,
        "a pooler stands between us and the server, and drops the settings of the session's start (timeouts, search_path)",
        fix: fix)
    }
    return .warn(
      subject,
      "a pooler stands between us and the server (its process ids are not the server's); it was not seen to give our "
        + "process to others", fix: fix)
  }
}

extension PoolerFacts {
  /// How long a second session may wait for a process of its own.
  static let patience_ms = 2_000

  /// Asks for the process id over and over, with a transaction of a second session in between: where processes are handed
  /// round, that takes the one which answered last.
  ///
  /// - Parameters:
  ///   - setting: a setting of the session's start and its value as the server shows it.
  ///   - another: opens a second session to the same place.
  static func ask(
    _ connection: Connection, setting: (name: String, value: String),
    another: () throws(PostgresError) -> Connection
  ) throws(PostgresError) -> PoolerFacts {
    let held = try connection.query(
      "SELECT current_setting($1)", [.text(setting.name)], purpose: "look whether settings hold")
    var facts = PoolerFacts(
      toldPID: connection.backendPID, answeredPIDs: [try pid(connection)], sharesProcess: false,
      keepsSettings: held[0, 0] == setting.value)
    // The server's own process: nothing to find out, and no second session to be opened.
    guard facts.isPooled else { return facts }
    do throws(PostgresError) {
      let other = try another()
      try other.query("BEGIN", purpose: "hold a process", timeoutMilliseconds: patience_ms)
      let taken = try pid(other)
      facts.sharesProcess = facts.answeredPIDs.contains(taken)
      facts.answeredPIDs.append(try pid(connection))
      try other.query("ROLLBACK", purpose: "let the process go")
    } catch {
      // No process left for one of two sessions: they share them.
      guard case .timedOut = error else { throw error }
      facts.sharesProcess = true
    }
    return facts
  }

  private static func pid(_ connection: Connection) throws(PostgresError) -> Int64 {
    try connection.query(
      "SELECT pg_backend_pid()", purpose: "ask which process answers", timeoutMilliseconds: patience_ms
    ).integer(0, 0) ?? 0
  }
}
