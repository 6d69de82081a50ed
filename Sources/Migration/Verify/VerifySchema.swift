import Postgres

/// The tables of a verification in the `crossfade` schema.
///
/// `verification` has a row a slot, the pass; `verification_row` the rows that are suspect or wrong. Both change in one
/// commit.
enum VerifySchema {
  /// The format of the rows; a newer one is refused.
  static let format = 1

  private static let statements = [
    """
    CREATE TABLE IF NOT EXISTS crossfade.verification (
      slot text PRIMARY KEY,
      format integer NOT NULL DEFAULT \(format),
      fingerprint text NOT NULL,
      since pg_lsn NOT NULL,
      bound text[],
      last_key text[],
      expected bigint NOT NULL,
      rows bigint NOT NULL DEFAULT 0,
      settled bigint NOT NULL DEFAULT 0,
      undecided bigint NOT NULL DEFAULT 0,
      counts jsonb NOT NULL DEFAULT '{}',
      first jsonb NOT NULL DEFAULT '[]',
      witness pg_lsn,
      followed pg_lsn NOT NULL,
      invalid text,
      started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
      updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
      finished_at timestamptz
    ) WITH (fillfactor = 10)
    """,
    "COMMENT ON TABLE crossfade.verification IS 'How far the rows of each slot are verified, and as of which position'",
    """
    CREATE TABLE IF NOT EXISTS crossfade.verification_row (
      slot text NOT NULL,
      key jsonb NOT NULL,
      kind text NOT NULL,
      version text NOT NULL,
      seen pg_lsn NOT NULL,
      old_value text,
      new_value text,
      first_seen timestamptz NOT NULL DEFAULT clock_timestamp(),
      PRIMARY KEY (slot, key)
    )
    """,
    "COMMENT ON TABLE crossfade.verification_row IS 'Rows that verification found wrong, or suspects until the stream has passed'",
  ]

  /// Whether both are there.
  static func exists(on connection: Connection) throws(PostgresError) -> Bool {
    try connection.query(
      """
      SELECT to_regclass('crossfade.verification') IS NOT NULL
         AND to_regclass('crossfade.verification_row') IS NOT NULL
      """, purpose: "look up the verification's tables"
    ).boolean(0, 0)
  }

  /// Why this session can keep no progress; nil when it can: then the tables are there.
  static func ensure(on connection: Connection) throws(PostgresError) -> String? {
    let purpose = "make the verification's tables"
    if try connection.query("SELECT pg_is_in_recovery()", purpose: purpose).boolean(0, 0) {
      return "the server is a standby"
    }
    let schema = try connection.query(
      "SELECT EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = 'crossfade')", purpose: purpose)
    guard schema.boolean(0, 0) else { return "there is no schema crossfade (`crossfade expand` makes it)" }
    if try !exists(on: connection) {
      do throws(PostgresError) {
        try connection.transaction("BEGIN READ WRITE", purpose: purpose) { () throws(PostgresError) in
          for statement in statements { try connection.query(statement, purpose: purpose) }
        }
      } catch {
        guard error.sqlState == .insufficientPrivilege else { throw error }
        return "this role may not make tables in schema crossfade"
      }
    }
    let granted = try connection.query(
      """
      SELECT bool_and(has_table_privilege(t, p)) FROM unnest(ARRAY['crossfade.verification',
        'crossfade.verification_row']) AS t, unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) AS p
      """, purpose: purpose)
    return granted.boolean(0, 0) ? nil : "this role may not write to crossfade.verification"
  }
}
