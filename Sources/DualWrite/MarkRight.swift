import Postgres

/// By what right a session uses replication origins.
///
/// Up to 13 they are for superusers, whatever is granted (`origin.c replorigin_check_prerequisites`). Three functions that a
/// superuser makes once (`permission(to:)`) lend just this much to our role.
public enum MarkRight: Sendable {
  /// The role's own: a superuser's, or from 14 on what it was granted.
  case own
  /// Through the functions in schema `crossfade`.
  case lent

  /// The right our role has; `own` where it has none, so that the server says what is missing.
  static func ask(_ connection: Connection) throws(PostgresError) -> MarkRight {
    let rows = try connection.query(
      "SELECT \(isLent)", purpose: "look by what right replication origins can be used")
    return rows.boolean(0, 0) ? .lent : .own
  }

  /// An SQL condition: the functions are there, and ours to call.
  public static let isLent = """
    (SELECT count(*) = 3 FROM pg_catalog.pg_proc AS p
       JOIN pg_catalog.pg_namespace AS n ON n.oid = p.pronamespace
      WHERE n.nspname = 'crossfade' AND p.proname IN ('mark_origin', 'mark_session', 'mark_transaction')
        AND pg_catalog.has_function_privilege(p.oid, 'EXECUTE')
        AND pg_catalog.has_schema_privilege(n.oid, 'USAGE'))
    """

  private static let functions =
    "crossfade.mark_origin(text), crossfade.mark_session(text), crossfade.mark_transaction(pg_lsn, timestamptz)"

  /// What a superuser of a server before 14 runs once, so that the role can mark its writes.
  ///
  /// - Parameter role: quoted.
  public static func permission(to role: String) -> String {
    """
    CREATE SCHEMA IF NOT EXISTS crossfade AUTHORIZATION \(role); \
    CREATE FUNCTION crossfade.mark_origin(text) RETURNS void LANGUAGE sql SECURITY DEFINER \
    SET search_path = pg_catalog AS $$ SELECT pg_replication_origin_create($1) \
    WHERE starts_with($1, 'crossfade_') AND pg_replication_origin_oid($1) IS NULL $$; \
    CREATE FUNCTION crossfade.mark_session(text) RETURNS void LANGUAGE sql SECURITY DEFINER \
    SET search_path = pg_catalog AS $$ SELECT pg_replication_origin_session_setup($1) \
    WHERE starts_with($1, 'crossfade_') $$; \
    CREATE FUNCTION crossfade.mark_transaction(pg_lsn, timestamptz) RETURNS void LANGUAGE sql SECURITY DEFINER \
    SET search_path = pg_catalog AS $$ SELECT pg_replication_origin_xact_setup($1, $2) $$; \
    REVOKE ALL ON FUNCTION \(functions) FROM PUBLIC; \
    GRANT EXECUTE ON FUNCTION \(functions) TO \(role);
    """
  }

  /// Makes the origin where it is missing and gives it to the session, in two transactions: one that made the origin and
  /// carried it would be sent with an origin without a name, which native subscriptions of 13 and 14 do not bear.
  func setUp(_ name: String, on connection: Connection) throws(PostgresError) {
    let (make, use) =
      switch self {
      case .own:
        (
          "SELECT pg_catalog.pg_replication_origin_create($1) WHERE pg_catalog.pg_replication_origin_oid($1) IS NULL",
          "SELECT pg_catalog.pg_replication_origin_session_setup($1)"
        )
      case .lent: ("SELECT crossfade.mark_origin($1)", "SELECT crossfade.mark_session($1)")
      }
    try connection.query(make, [.text(name)], purpose: "mark our writes: make replication origin \(name)")
    try connection.query(use, [.text(name)], purpose: "mark our writes: use replication origin \(name)")
  }

  /// `$1` is the position of the transaction to be marked; where it is NULL the server's own.
  var markStatement: String {
    let function =
      switch self {
      case .own: "pg_catalog.pg_replication_origin_xact_setup"
      case .lent: "crossfade.mark_transaction"
      }
    return
      "SELECT \(function)(coalesce($1::pg_lsn, pg_catalog.pg_current_wal_insert_lsn()), clock_timestamp())"
  }
}
