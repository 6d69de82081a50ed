import Derivation
import Logging
import Postgres

/// Keeps the application's triggers from firing on the rows that are derived, where the role may.
///
/// `session_replication_role = replica` is a setting of our session: no table is locked and nobody else's triggers rest, as with
/// ALTER TABLE ... DISABLE TRIGGER. It also keeps foreign keys of our writes from being checked; but what we write are ids that
/// the map holds at that moment, and VALIDATE CONSTRAINT and `verify` look at every row afterwards. Triggers that were enabled
/// with ENABLE ALWAYS or ENABLE REPLICA fire all the same.
struct TriggerPolicy {
  let definition: SlotDefinition
  let logger: Logger

  func set(on connection: Connection) throws(PostgresError) {
    guard definition.backfill.triggers == .leaveAlone else { return }
    do throws(PostgresError) {
      try connection.query(
        "SET session_replication_role = replica", purpose: "leave the application's triggers alone")
      return
    } catch {
      guard error.sqlState == .insufficientPrivilege else { throw error }
    }
    let oid = try connection.query(
      "SELECT $1::regclass::oid", [.text(definition.derive.table.quoted)], purpose: "look up the table"
    ).integer(0, 0)
    guard let oid else { return }
    let facts = try TriggerFacts.ask(oid, definition.derive, connection)
    guard !facts.triggers.isEmpty else { return }
    logger.warning(
      "triggers fire on each row that is derived: this role may not set session_replication_role",
      metadata: [
        "triggers": "\(facts.triggers.map { "\($0.name) on \($0.table)" }.joined(separator: ", "))",
        "hint": "\(Self.hint(connection.serverVersion))",
      ])
  }

  static func hint(_ version: ServerVersion) -> String {
    version.major >= 15
      ? "GRANT SET ON PARAMETER session_replication_role TO this role"
      : "before PostgreSQL 15 only a superuser may set it"
  }
}
