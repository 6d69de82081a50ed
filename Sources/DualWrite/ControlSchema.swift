public import Postgres

/// The `crossfade` schema in the target: what must commit together with the rows.
public enum ControlSchema {
  /// The version of the tables, kept in them; a newer one is refused.
  public static let version = 1

  /// The statement that makes the schema.
  public static let schema = "CREATE SCHEMA crossfade"

  /// The tables that the dual-write needs.
  public static let tables = [checkpoint, quarantine, DirectionTable.table, LegacyTable.table]

  private static let checkpoint = ControlTable(
    "checkpoint",
    [
      """
      CREATE TABLE IF NOT EXISTS crossfade.checkpoint (
        slot text PRIMARY KEY,
        format integer NOT NULL DEFAULT \(version),
        end_lsn pg_lsn NOT NULL,
        system_identifier numeric(20) NOT NULL,
        timeline bigint NOT NULL,
        database_oid oid NOT NULL,
        creation_point pg_lsn NOT NULL,
        transactions bigint NOT NULL DEFAULT 0,
        changes bigint NOT NULL DEFAULT 0,
        batches bigint NOT NULL DEFAULT 0,
        applied_at timestamptz NOT NULL DEFAULT clock_timestamp()
      ) WITH (fillfactor = 10)
      """,
      "COMMENT ON TABLE crossfade.checkpoint IS 'Up to which commit each slot is applied; moves in the commit of the rows'",
    ])

  private static let quarantine = ControlTable(
    "quarantine",
    [
      """
      CREATE TABLE IF NOT EXISTS crossfade.quarantine (
        slot text NOT NULL,
        key jsonb NOT NULL,
        status text,
        reason text NOT NULL,
        position pg_lsn,
        first_seen timestamptz NOT NULL DEFAULT clock_timestamp(),
        last_seen timestamptz NOT NULL DEFAULT clock_timestamp(),
        PRIMARY KEY (slot, key)
      )
      """,
      "COMMENT ON TABLE crossfade.quarantine IS 'Rows whose new value could not be derived; each blocks the cutover'",
    ])

  /// Makes what is missing. Nothing is run when all is there, so that a role without CREATE can use it.
  public static func ensure(on connection: Connection) throws(PostgresError) {
    try ControlTable.ensure(tables, on: connection)
  }

  /// Whether the schema itself is there. `CREATE SCHEMA IF NOT EXISTS` would ask for CREATE on the database even then
  /// (`schemacmds.c`).
  public static func isThere(on connection: Connection) throws(PostgresError) -> Bool {
    try connection.query(
      "SELECT EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = 'crossfade')",
      purpose: "look up the crossfade schema"
    ).boolean(0, 0)
  }

  /// Whether its checkpoint table is there.
  public static func exists(on connection: Connection) throws(PostgresError) -> Bool {
    try connection.query(
      "SELECT to_regclass('crossfade.checkpoint') IS NOT NULL", purpose: "look up the crossfade schema"
    ).boolean(0, 0)
  }
}
