import Derivation
import Postgres

extension Dependents {
  /// What the catalogs say, and the functions whose text holds the column's name.
  ///
  /// - Parameter own: the slot's own publication, which `contract` sees to.
  static func ask(
    _ oid: Int64, _ column: Identifier, own: Identifier, _ connection: Connection
  ) throws(PostgresError) -> Dependents {
    let known = try catalog(oid, column, own: own, connection)
    let texts = try functions(oid, column, connection)
    // A function whose body the catalogs have parsed (14) is known for sure; its text need not be searched.
    let names = Set(known.map(\.name))
    return Dependents(
      found: known + texts.filter { !names.contains($0.name) },
      columnGrants: try grants(oid, column, connection),
      isCut: known.count >= limit || texts.count >= limit)
  }

  /// `pg_depend`, column by column (`refobjsubid`), of the table and its partitions.
  private static func catalog(
    _ oid: Int64, _ column: Identifier, own: Identifier, _ connection: Connection
  ) throws(PostgresError) -> [Dependent] {
    // Up to 14 a generated column hangs on the column itself, and goes with it; from 15 on its expression does, and stands in
    // the way.
    // What belongs to a partition because it belongs to the parent is told once, as the parent's.
    let rows = try connection.query(
      """
      WITH tables AS (SELECT $1::oid AS relid UNION SELECT relid::oid FROM pg_partition_tree($1::oid::regclass)),
      attributes AS (SELECT a.attrelid, a.attnum FROM pg_attribute a JOIN tables t ON t.relid = a.attrelid
                      WHERE a.attname = $2 AND NOT a.attisdropped),
      found AS (
        SELECT DISTINCT d.classid, d.objid, d.objsubid, bool_and(d.deptype = 'n') AS blocks
          FROM pg_depend d JOIN attributes a ON d.refclassid = 'pg_class'::regclass AND d.refobjid = a.attrelid
                                            AND d.refobjsubid = a.attnum
         WHERE d.deptype IN ('n', 'a') AND NOT (d.classid = 'pg_class'::regclass AND d.objid IN (SELECT relid FROM tables)
                    AND d.objsubid = 0)
         GROUP BY 1, 2, 3)
      SELECT CASE
               WHEN f.classid = 'pg_rewrite'::regclass THEN CASE v.relkind WHEN 'v' THEN 'view'
                    WHEN 'm' THEN 'materialized view' ELSE 'rule' END
               WHEN f.classid = 'pg_attrdef'::regclass THEN CASE WHEN g.attgenerated = '' THEN 'default'
                    ELSE 'generated column' END
               WHEN f.classid = 'pg_class'::regclass AND f.objsubid > 0 THEN 'generated column'
               WHEN f.classid = 'pg_class'::regclass AND ic.relkind IN ('i', 'I') THEN 'index'
               WHEN f.classid = 'pg_constraint'::regclass THEN 'constraint'
               WHEN f.classid = 'pg_statistic_ext'::regclass THEN 'statistics'
               WHEN f.classid = 'pg_policy'::regclass THEN 'policy'
               WHEN f.classid = 'pg_trigger'::regclass THEN 'trigger'
               WHEN f.classid = 'pg_publication_rel'::regclass THEN 'publication'
               WHEN f.classid = 'pg_proc'::regclass THEN 'function' ELSE 'other' END AS kind,
             CASE
               WHEN f.classid = 'pg_rewrite'::regclass AND v.relkind IN ('v', 'm')
                 THEN pg_describe_object('pg_class'::regclass, v.oid, 0)
               WHEN f.classid = 'pg_attrdef'::regclass AND g.attgenerated <> ''
                 THEN pg_describe_object('pg_class'::regclass, g.attrelid, g.attnum)
               ELSE pg_describe_object(f.classid, f.objid, f.objsubid) END AS name,
             CASE WHEN f.classid = 'pg_attrdef'::regclass AND g.attgenerated <> '' THEN true ELSE f.blocks END
        FROM found f
        LEFT JOIN pg_rewrite r ON f.classid = 'pg_rewrite'::regclass AND r.oid = f.objid
        LEFT JOIN pg_class v ON v.oid = r.ev_class
        LEFT JOIN pg_attrdef ad ON f.classid = 'pg_attrdef'::regclass AND ad.oid = f.objid
        LEFT JOIN pg_attribute g ON g.attrelid = ad.adrelid AND g.attnum = ad.adnum
        LEFT JOIN pg_class ic ON f.classid = 'pg_class'::regclass AND ic.oid = f.objid
        LEFT JOIN pg_publication_rel pr ON f.classid = 'pg_publication_rel'::regclass AND pr.oid = f.objid
        LEFT JOIN pg_publication p ON p.oid = pr.prpubid
        LEFT JOIN pg_inherits pi ON f.classid = 'pg_class'::regclass AND pi.inhrelid = f.objid
        LEFT JOIN pg_constraint co ON f.classid = 'pg_constraint'::regclass AND co.oid = f.objid
       WHERE p.pubname IS DISTINCT FROM $3 AND pi.inhrelid IS NULL AND coalesce(co.conparentid, 0) = 0
         AND (co.oid IS NULL OR co.coninhcount = 0 AND co.contype <> 'n')
      UNION ALL
      SELECT 'partition key', 'the partitioning of ' || pt.partrelid::regclass, true
        FROM pg_partitioned_table pt JOIN attributes a ON a.attrelid = pt.partrelid
       WHERE a.attnum = ANY (pt.partattrs::int2[])
       ORDER BY 1, 2 LIMIT \(limit)
      """, [.integer(oid), .text(column.name), .text(own.name)], purpose: "look up what depends on \(column)")
    return (0..<rows.rowCount).map { row in
      Dependent(
        kind: rows[row, 0].flatMap { Dependent.Kind(rawValue: $0) } ?? .other, name: rows[row, 1] ?? "",
        tie: rows.boolean(row, 2) ? .blocks : .vanishes)
    }
  }

  /// Functions in a language whose text can be read, that hold the column's name as a word, and the table's, or are
  /// called by a trigger of the table's.
  private static func functions(
    _ oid: Int64, _ column: Identifier, _ connection: Connection
  ) throws(PostgresError) -> [Dependent] {
    let rows = try connection.query(
      #"""
      SELECT 'function ' || p.oid::regprocedure FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang
        JOIN pg_namespace n ON n.oid = p.pronamespace JOIN pg_class c ON c.oid = $1::oid
       WHERE l.lanname NOT IN ('internal', 'c') AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'crossfade')
         AND p.prosrc ~* ('\m' || regexp_replace($2, '([^[:alnum:]_])', '\\\1', 'g') || '\M')
         AND (p.prosrc ~* ('\m' || regexp_replace(c.relname, '([^[:alnum:]_])', '\\\1', 'g') || '\M')
              OR EXISTS (SELECT FROM pg_trigger t WHERE t.tgfoid = p.oid AND t.tgrelid IN (
                   SELECT $1::oid UNION SELECT relid::oid FROM pg_partition_tree($1::oid::regclass))))
       ORDER BY 1 LIMIT \#(limit)
      """#, [.integer(oid), .text(column.name)], purpose: "look for functions that hold the name of \(column)"
    )
    return (0..<rows.rowCount).map { Dependent(kind: .function, name: rows[$0, 0] ?? "", tie: .perhaps) }
  }

  private static func grants(
    _ oid: Int64, _ column: Identifier, _ connection: Connection
  ) throws(PostgresError) -> [ColumnGrant] {
    let rows = try connection.query(
      """
      SELECT CASE g.grantee WHEN 0 THEN 'PUBLIC' ELSE pg_get_userbyid(g.grantee) END, g.privilege_type
        FROM pg_attribute a, aclexplode(a.attacl) g
       WHERE a.attrelid = $1::oid AND a.attname = $2 AND NOT a.attisdropped ORDER BY 1, 2 LIMIT \(limit)
      """, [.integer(oid), .text(column.name)], purpose: "look up the grants on \(column)")
    return (0..<rows.rowCount).map { ColumnGrant(role: rows[$0, 0] ?? "", privilege: rows[$0, 1] ?? "") }
  }
}
