public import Derivation
public import Postgres

/// What a plan was reviewed against, in a few lists of names: kept when a plan is accepted, compared when it is asked for again.
public struct TableSketch: Sendable, Hashable, Codable {
  /// The planner's estimate of the rows.
  public var rows: Int64
  /// `indexes`, `triggers`, ...: what each has, sorted.
  public var parts: [String: [String]]

  /// A sketch from its parts.
  public init(rows: Int64, parts: [String: [String]]) {
    self.rows = rows
    self.parts = parts
  }

  /// Reads it from the catalogs. What the migration itself makes is left out.
  public static func ask(
    _ definition: SlotDefinition, on connection: Connection
  ) throws(PostgresError) -> TableSketch {
    let derive = definition.derive
    let purpose = "sketch \(derive.table)"
    let found = try connection.query(
      """
      WITH t AS (SELECT to_regclass($1)::oid AS oid)
      SELECT 'columns', a.attname || ' ' || format_type(a.atttypid, a.atttypmod) || CASE WHEN a.attnotnull THEN ' NOT NULL' ELSE '' END
        FROM t JOIN pg_catalog.pg_attribute AS a ON a.attrelid = t.oid
       WHERE a.attnum > 0 AND NOT a.attisdropped AND a.attname <> $3
      UNION ALL SELECT 'indexes', c.relname FROM t JOIN pg_catalog.pg_index AS i ON i.indrelid = t.oid
        JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid
       WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_attribute AS a
                          WHERE a.attrelid = t.oid AND a.attnum = i.indkey[0] AND a.attname = $3)
      UNION ALL SELECT 'triggers', g.tgname FROM t JOIN pg_catalog.pg_trigger AS g ON g.tgrelid = t.oid
       WHERE NOT g.tgisinternal AND g.tgname NOT LIKE 'zz\\_crossfade\\_%'
      UNION ALL SELECT 'partitions', p.relid::text FROM t, pg_catalog.pg_partition_tree(t.oid) AS p WHERE p.level > 0
      UNION ALL SELECT 'policies', p.polname FROM t JOIN pg_catalog.pg_policy AS p ON p.polrelid = t.oid
      UNION ALL SELECT 'publications', p.pubname FROM t JOIN pg_catalog.pg_publication AS p
            ON p.puballtables OR EXISTS (SELECT FROM pg_catalog.pg_publication_rel AS r WHERE r.prpubid = p.oid AND r.prrelid = t.oid)
       WHERE p.pubname <> $4
      UNION ALL SELECT 'foreign keys to it', k.conrelid::regclass::text || ' ' || k.conname
        FROM t JOIN pg_catalog.pg_constraint AS k ON k.confrelid = t.oid AND k.contype = 'f'
      UNION ALL SELECT 'constraints', k.conname FROM t JOIN pg_catalog.pg_constraint AS k ON k.conrelid = t.oid
       WHERE k.contype <> 'n' AND NOT EXISTS (SELECT FROM pg_catalog.pg_attribute AS a
                          WHERE a.attrelid = t.oid AND a.attnum = ANY (k.conkey) AND a.attname = $3)
      UNION ALL SELECT \(SQLText.literal("views of \(derive.from)")), c.oid::regclass::text
        FROM t JOIN pg_catalog.pg_attribute AS a ON a.attrelid = t.oid AND a.attname = $2
        JOIN pg_catalog.pg_depend AS d ON d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjid = t.oid AND d.refobjsubid = a.attnum
        JOIN pg_catalog.pg_rewrite AS w ON d.classid = 'pg_catalog.pg_rewrite'::regclass AND w.oid = d.objid
        JOIN pg_catalog.pg_class AS c ON c.oid = w.ev_class
      """,
      [
        .text(derive.table.quoted), .text(derive.from.name), .text(derive.to.name),
        .text(definition.publication.name),
      ], purpose: purpose)
    var parts: [String: Set<String>] = [:]
    for row in 0..<found.rowCount {
      if let kind = found[row, 0], let name = found[row, 1] { parts[kind, default: []].insert(name) }
    }
    let plan = try connection.query(
      "EXPLAIN (FORMAT JSON) SELECT FROM \(derive.table.quoted)", purpose: purpose)
    return TableSketch(
      rows: plan[0, 0].flatMap(JSONStrings.planRows) ?? 0, parts: parts.mapValues { $0.sorted() })
  }

  /// How another differs, a phrase each; a table may grow by a fifth before that is told.
  public func differences(to later: TableSketch) -> [String] {
    var differences: [String] = []
    let share = Double(later.rows - rows) / Double(max(1, rows))
    if abs(share) >= 0.2, abs(later.rows - rows) >= 1_000 {
      let percent = Int((min(abs(share), 1e6) * 100).rounded())
      differences.append(
        "about \(Sizes.count(later.rows)) rows, \(percent) % \(share > 0 ? "more" : "fewer") than \(Sizes.count(rows))"
      )
    }
    for kind in Set(parts.keys).union(later.parts.keys).sorted() {
      let (before, now) = (Set(parts[kind] ?? []), Set(later.parts[kind] ?? []))
      let (added, gone) = (now.subtracting(before).sorted(), before.subtracting(now).sorted())
      if !added.isEmpty { differences.append("\(kind): new \(added.joined(separator: ", "))") }
      if !gone.isEmpty { differences.append("\(kind): gone \(gone.joined(separator: ", "))") }
    }
    return differences
  }
}
