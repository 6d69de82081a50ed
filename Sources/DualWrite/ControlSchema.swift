public import Postgres

/// The `crossfade` schema in the target: what must commit together with the rows.
public enum ControlSchema {
  /// The version of the tables, kept in them; a newer one is refused.
  public static let version = 1

  /// The statement that makes the schema.
  static let schema = "CREATE SCHEMA crossfade"

  /// The statements that make its tables; each may run again.
  static let tables: [String] = [
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
  ]

  /// Makes what is missing. Nothing is run when all is there, so that a role without CREATE can use it.
  public static func ensure(on connection: Connection) throws(PostgresError) {
    let purpose = "look up the crossfade schema"
    let found = try connection.query(
      "SELECT count(*) FROM pg_catalog.pg_tables WHERE schemaname = 'crossfade' "
        + "AND tablename IN ('checkpoint', 'quarantine')", purpose: purpose)
    guard found.integer(0, 0) != 2 else { return }
    // IF NOT EXISTS would ask for CREATE on the database even when the schema is there (`schemacmds.c`).
    let there = try connection.query(
      "SELECT EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = 'crossfade')", purpose: purpose
    ).boolean(0, 0)
    try connection.transaction(purpose: "make the crossfade schema") { () throws(PostgresError) in
      for statement in (there ? [] : [schema]) + tables {
        try connection.query(statement, purpose: "make the crossfade schema")
      }
    }
  }

  /// Whether it is there.
  public static func exists(on connection: Connection) throws(PostgresError) -> Bool {
    try connection.query(
      "SELECT to_regclass('crossfade.checkpoint') IS NOT NULL", purpose: "look up the crossfade schema"
    ).boolean(0, 0)
  }
}
