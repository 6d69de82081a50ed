public import Postgres

extension AuditTrail {
  /// Adds an event that tells what came of a look or of work on rows, where the slot has an account and this role may write to
  /// it; part of the transaction it stands in. Says whether it did.
  @discardableResult
  public func appendWhereKept(_ event: AuditEvent) throws(PostgresError) -> Bool {
    let purpose = "look for the account of the migration"
    let mayWrite = try connection.query(
      """
      SELECT count(*) = 2 AND bool_and(pg_catalog.has_schema_privilege(n.oid, 'USAGE')
               AND pg_catalog.has_table_privilege(c.oid, 'SELECT')
               AND pg_catalog.has_table_privilege(c.oid, CASE c.relname WHEN 'audit' THEN 'INSERT' ELSE 'UPDATE' END))
        FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
       WHERE n.nspname = 'crossfade' AND c.relname IN ('audit', 'migration') AND c.relkind = 'r'
      """, purpose: purpose
    ).boolean(0, 0)
    guard mayWrite,
      try connection.query(
        "SELECT FROM crossfade.migration WHERE slot = $1", [.text(slot)], purpose: purpose
      ).rowCount == 1
    else { return false }
    try append(event)
    return true
  }
}
