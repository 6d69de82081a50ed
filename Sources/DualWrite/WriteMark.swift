public import Postgres

/// How the transactions of one session tell that they are ours, so that capture drops them whole.
///
/// From 14 on each has a choice: a replication origin where the role may use one, else a logical message as the
/// first record. 13 sends no logical messages, so there is no mark but the origin, and no writing without it.
public struct WriteMark: Sendable {
  /// Who writes. An origin belongs to one session at a time, so each has its own.
  public enum Writer: Sendable {
    /// The dual-write: commits all day, and the server tells by the origin how far it has come.
    case dualWrite
    /// The backfill.
    case backfill
    /// A retry of what is in quarantine.
    case quarantine
    /// A replay that repairs.
    case replay
  }

  /// What the mark is.
  public enum Kind: String, Sendable {
    /// The session's replication origin.
    case origin
    /// A logical message as the first record.
    case message
  }

  /// What the mark is.
  public let kind: Kind
  private let slot: String

  /// The replication origin of a writer. No slot's name has a dot: what begins with the dual-write's and a dot is ours.
  public static func origin(of writer: Writer, slot: String) -> String {
    switch writer {
    case .dualWrite: DualWritePlan.origin(slot: slot)
    case .backfill: DualWritePlan.origin(slot: slot) + ".backfill"
    case .quarantine: DualWritePlan.origin(slot: slot) + ".quarantine"
    case .replay: DualWritePlan.origin(slot: slot) + ".replay"
    }
  }

  /// Finds the mark a session can have, sets it up and prepares its statement.
  public init(_ writer: Writer, slot: String, on connection: Connection) throws(PostgresError) {
    self.slot = slot
    let name = Self.origin(of: writer, slot: slot)
    let statement: String
    if connection.serverVersion.major < 14 {
      let right = try MarkRight.ask(connection)
      try right.setUp(name, on: connection)
      (kind, statement) = (.origin, right.markStatement)
    } else if writer == .dualWrite, try Self.setUpGrantedOrigin(name, on: connection) {
      (kind, statement) = (.origin, MarkRight.own.markStatement)
    } else {
      let prefix = SQLText.literal(DualWritePlan.messagePrefix)
      (kind, statement) = (.message, "SELECT pg_catalog.pg_logical_emit_message(true, \(prefix), $1)")
    }
    try connection.prepare("mark", statement, purpose: "prepare the mark")
  }

  /// Asks whether a session of this role could mark its writes, so that nothing is begun for a role that could not.
  ///
  /// - Throws: what the server says to a role that may not.
  public static func require(on connection: Connection) throws(PostgresError) {
    guard connection.serverVersion.major < 14, case .own = try MarkRight.ask(connection) else { return }
    try connection.query(
      "SELECT pg_catalog.pg_replication_origin_oid('crossfade')",
      purpose: "mark our writes by a replication origin, the only mark before PostgreSQL 14")
  }

  /// The statement that marks the transaction it stands first in. With an origin it also sets position and time, which
  /// would otherwise stay those of the session's first commit (`xact.c RecordTransactionCommit`).
  ///
  /// - Parameter end: the source's position that the transaction carries; nil for what no position stands for.
  public func statement(end: String? = nil) -> PipelineStatement {
    switch kind {
    case .origin: PipelineStatement("mark", [.optional(end)])
    case .message: PipelineStatement("mark", [.text(slot)])
    }
  }

  /// On 14 and later, where it is a matter of grants.
  private static func setUpGrantedOrigin(_ name: String, on connection: Connection) throws(PostgresError)
    -> Bool
  {
    do throws(PostgresError) {
      let granted = try connection.query(
        """
        SELECT has_function_privilege(
          'pg_catalog.pg_replication_origin_xact_setup(pg_lsn, timestamptz)', 'EXECUTE')
        """, purpose: "look whether replication origins are granted")
      guard granted.boolean(0, 0) else { return false }
      try MarkRight.own.setUp(name, on: connection)
      return true
    } catch {
      // Not granted, taken by a session that is about to go, or none free: a logical message marks us as well.
      guard case .server(let cause) = error,
        cause.sqlState == .configurationLimitExceeded || !error.isConnectionGone
      else { throw error }
      return false
    }
  }
}
