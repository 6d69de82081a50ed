import Derivation
import DualWrite
import Postgres

/// The clones: made, fingerprinted, removed.
///
/// They are unlogged: standbys hear nothing of them, and nobody's publication holds them, not even one FOR ALL TABLES.
struct RehearsalClone {
  let definition: SlotDefinition
  let copy: SlotDefinition
  let names: RehearsalNames
  let connection: Connection

  private static let purpose = "make the clone of the rehearsal"

  /// How many rows were taken, and of how many by estimate.
  struct Taken: Sendable, Hashable {
    var rows: Int64
    var of: Int64
  }

  /// Makes schema, table and, where it stands, the map; fills them.
  func make(rows: Int) throws(PostgresError) -> Taken {
    let purpose = Self.purpose
    let (table, source) = (copy.derive.table.quoted, definition.derive.table.quoted)
    let schema = names.schema.quoted
    try connection.query("CREATE SCHEMA \(schema)", purpose: purpose)
    try connection.query(
      "COMMENT ON SCHEMA \(schema) IS \(SQLText.literal(names.comment(definition.slot)))", purpose: purpose)
    try connection.query("CREATE UNLOGGED TABLE \(table) (LIKE \(source) INCLUDING ALL)", purpose: purpose)
    // The migration may have begun already: the clone begins before it.
    try connection.query(
      "ALTER TABLE \(table) DROP COLUMN IF EXISTS \(definition.derive.to.quoted)", purpose: purpose)
    let map = definition.derive.map.table.quoted
    if try connection.query("SELECT to_regclass($1) IS NOT NULL", [.text(map)], purpose: purpose).boolean(
      0, 0)
    {
      let own = copy.derive.map.table.quoted
      try connection.query("CREATE UNLOGGED TABLE \(own) (LIKE \(map) INCLUDING ALL)", purpose: purpose)
      try fill(own, from: map, rest: "")
    }
    let plan = try connection.query("EXPLAIN (FORMAT JSON) SELECT FROM \(source)", purpose: purpose)
    let estimate = plan[0, 0].flatMap(JSONStrings.planRows) ?? 0
    // A fifth more than it takes, drawn at random: rows of a small table, blocks of one that would take long to read.
    let share = min(100, 120 * Double(rows) / Double(max(1, estimate)))
    let method = estimate > 5_000_000 ? "SYSTEM" : "BERNOULLI"
    let drawn = share < 100 ? " TABLESAMPLE \(method) (\(share))" : ""
    let taken = try fill(table, from: source, rest: "\(drawn) LIMIT \(rows)")
    try connection.query("ANALYZE \(table)", purpose: purpose)
    return Taken(rows: Int64(taken), of: max(Int64(taken), estimate))
  }

  /// Generated columns make themselves; identities are taken as they are.
  @discardableResult
  private func fill(_ table: String, from source: String, rest: String) throws(PostgresError) -> Int {
    let columns = try connection.query(
      """
      SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) FROM pg_catalog.pg_attribute
       WHERE attrelid = to_regclass($1) AND attnum > 0 AND NOT attisdropped AND attgenerated = ''
      """, [.text(table)], purpose: Self.purpose)
    let list = columns[0, 0] ?? ""
    return try connection.query(
      "INSERT INTO \(table) (\(list)) OVERRIDING SYSTEM VALUE SELECT \(list) FROM \(source)\(rest)",
      purpose: Self.purpose
    ).affectedRows
  }

  /// What the clone is, object by object, and a checksum over its rows.
  func fingerprint() throws(PostgresError) -> [String] {
    let purpose = "look at the clone of the rehearsal"
    let found = try connection.query(
      """
      SELECT f.line FROM (
        SELECT 'column ' || a.attname || ' ' || format_type(a.atttypid, a.atttypmod) || ' not null ' || a.attnotnull
               || coalesce(' default ' || pg_get_expr(d.adbin, d.adrelid), '') AS line
          FROM pg_catalog.pg_attribute AS a LEFT JOIN pg_catalog.pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
         WHERE a.attrelid = to_regclass($1) AND a.attnum > 0 AND NOT a.attisdropped
        UNION ALL SELECT 'index ' || pg_get_indexdef(indexrelid) || ' valid ' || indisvalid
          FROM pg_catalog.pg_index WHERE indrelid = to_regclass($1)
        UNION ALL SELECT 'constraint ' || conname || ' ' || pg_get_constraintdef(oid)
          FROM pg_catalog.pg_constraint WHERE conrelid = to_regclass($1)
        UNION ALL SELECT 'trigger ' || pg_get_triggerdef(oid)
          FROM pg_catalog.pg_trigger WHERE tgrelid = to_regclass($1) AND NOT tgisinternal
      ) AS f ORDER BY f.line COLLATE "C"
      """, [.text(copy.derive.table.quoted)], purpose: purpose)
    let sum = try connection.query(
      """
      SELECT 'rows ' || count(*) || ' checksum '
             || coalesce(sum(('x' || substr(md5(t::text), 1, 15))::bit(60)::bigint), 0)
        FROM \(copy.derive.table.quoted) AS t
      """, purpose: purpose)
    return (0..<found.rowCount).compactMap { found[$0, 0] } + [sum[0, 0] ?? ""]
  }

  /// Removes all that a rehearsal makes, from whatever run. Refuses a schema that is not ours.
  func clear() throws(MigrationError) {
    let purpose = "remove what a rehearsal made"
    let schema = names.schema
    let isForeign = try MigrationError.asking { () throws(PostgresError) in
      try connection.query(
        """
        SELECT EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = $1
          AND obj_description(oid, 'pg_namespace') IS DISTINCT FROM $2)
        """, [.text(schema.name), .text(names.comment(definition.slot))], purpose: purpose
      ).boolean(0, 0)
    }
    guard !isForeign else {
      throw .notReady(
        what: "schema \(schema) is there, and no rehearsal made it: it lacks the comment of one",
        hint: "rename it, or drop it yourself, then rehearse again")
    }
    do throws(PostgresError) {
      try connection.transaction(purpose: purpose) { () throws(PostgresError) in
        // Never with CASCADE: what somebody else has put on them ends it here, and is named.
        try connection.query(
          "DROP TABLE IF EXISTS \(copy.derive.table.quoted), \(copy.derive.map.table.quoted)",
          purpose: purpose)
        try connection.query("DROP SCHEMA IF EXISTS \(schema.quoted)", purpose: purpose)
        try forget(purpose)
      }
      try dropOrigins(purpose)
    } catch {
      throw .refusal(error)
    }
  }

  /// The rehearsal's own account.
  private func forget(_ purpose: String) throws(PostgresError) {
    let tables = try connection.query(
      """
      SELECT c.oid::regclass::text FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid
       WHERE c.relnamespace = (SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = 'crossfade') AND c.relkind = 'r'
         AND a.attname = 'slot' ORDER BY 1
      """, purpose: purpose)
    for table in (0..<tables.rowCount).compactMap({ tables[$0, 0] }) {
      try connection.query("DELETE FROM \(table) WHERE slot = $1", [.text(names.slot)], purpose: purpose)
    }
    let bridge = MigrationSteps.functionName("bridge", of: names.slot)
    let isThere = try connection.query(
      """
      SELECT EXISTS (SELECT FROM pg_catalog.pg_proc AS p JOIN pg_catalog.pg_namespace AS n ON n.oid = p.pronamespace
        WHERE n.nspname = 'crossfade' AND p.proname = $1)
      """, [.text(bridge)], purpose: purpose)
    guard isThere.boolean(0, 0) else { return }
    try connection.query("DROP FUNCTION crossfade.\(SQLText.identifier(bridge))()", purpose: purpose)
  }

  /// On 13 each backfill has an origin of its own, and each keeps a place. Who may not drop it could not make it either.
  private func dropOrigins(_ purpose: String) throws(PostgresError) {
    guard connection.serverVersion.major < 14 else { return }
    _ = try? connection.query(
      "SELECT pg_replication_origin_drop(roname) FROM pg_catalog.pg_replication_origin WHERE roname = $1",
      [.text(WriteMark.origin(of: .backfill, slot: names.slot))], purpose: purpose)
  }
}
