import Postgres

/// Whether something stands between us and the server that hands its sessions round.
struct PoolerFacts: Equatable, Sendable {
  /// The process id that the connection was told at its start.
  var toldPID: Int32
  /// The process id that answered.
  var answeredPID: Int64
  /// Whether two sessions of ours were seen to share a process.
  var sharesProcess: Bool
  /// Whether the settings that we asked for at the start hold.
  var keepsSettings: Bool

  /// A server tells each session its own process id; a pooler makes one up.
  var isPooled: Bool { answeredPID != Int64(toldPID) }

  var finding: Finding {
    let subject = "pooler"
    let fix =
      "name the server itself in source.connection, or a pool with pool_mode = session that keeps the settings of the start"
    guard isPooled else { return .pass(subject, "none: the server's own process answers us") }
    if sharesProcess {
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

  /// Two sessions of their own, thrown away afterwards, since one of them may be left waiting: a process that is handed
  /// round is the other's while it is in a transaction.
  ///
  /// - Parameters:
  ///   - setting: a setting of the session's start and its value as the server shows it.
  ///   - another: opens one more session to the same place.
  static func ask(
    _ connection: Connection, setting: (name: String, value: String),
    another: () throws(PostgresError) -> Connection
  ) throws(PostgresError) -> PoolerFacts {
    let held = try connection.query(
      "SELECT current_setting($1)", [.text(setting.name)], purpose: "look whether settings hold")
    var facts = PoolerFacts(
      toldPID: connection.backendPID, answeredPID: try pid(connection), sharesProcess: false,
      keepsSettings: held[0, 0] == setting.value)
    // The server's own process: nothing to find out, and no further sessions to be opened.
    guard facts.isPooled else { return facts }
    do throws(PostgresError) {
      let (one, other) = (try another(), try another())
      let first = try pid(one)
      try other.query("BEGIN", purpose: "hold a process", timeoutMilliseconds: patience_ms)
      facts.sharesProcess = try pid(other) == first
      facts.sharesProcess = try pid(one) != first || facts.sharesProcess
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
