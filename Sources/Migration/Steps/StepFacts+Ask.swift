public import Derivation
import DualWrite
public import Postgres

extension StepFacts {
  /// Reads them; only asks, and needs no right but to read the map.
  ///
  /// - Parameter publication: the slot's, of which the way back of a cutover must know what it lists.
  public static func ask(
    _ derive: SlotDefinition.Derive, publication: Identifier? = nil, on connection: Connection
  ) throws(PostgresError) -> StepFacts {
    var facts = StepFacts(version: connection.serverVersion)
    let table = try connection.query(
      "SELECT relkind = 'p' FROM pg_catalog.pg_class WHERE oid = to_regclass($1)",
      [.text(derive.table.quoted)],
      purpose: "look up table \(derive.table)")
    facts.isPartitioned = table.boolean(0, 0)
    if facts.isPartitioned { facts.partitions = try partitions(of: derive.table, on: connection) }
    let map = derive.map
    let standing = try MapTable.columnType(derive.from, of: derive.table, on: connection)
    let retired = standing == nil ? try retiredType(derive, on: connection) : nil
    facts.statusType = standing ?? retired ?? "text"
    facts.idType = try MapTable.columnType(map.id, of: map.table, on: connection) ?? "bigint"
    facts.requiresStatus = try connection.query(
      CatalogProbe.notNull(derive.from, of: derive.table), purpose: "look up column \(derive.from)"
    ).boolean(0, 0)
    // Of an expression nothing is said, since it may give another value each time.
    facts.statusDefault = try connection.query(
      #"""
      SELECT pg_get_expr(d.adbin, d.adrelid) FROM pg_catalog.pg_attrdef d JOIN pg_catalog.pg_attribute a
          ON a.attrelid = d.adrelid AND a.attnum = d.adnum
       WHERE a.attrelid = to_regclass($1) AND a.attname IN ($2, $3) AND a.attgenerated = ''
         AND pg_get_expr(d.adbin, d.adrelid) ~ $re$^('([^']|'')*'(::[a-z_ ."()0-9]+)?|-?[0-9.]+)$$re$
      """#,
      [
        .text(derive.table.quoted), .text(derive.from.name), .text(ObjectName.make(derive.from, "retired")),
      ], purpose: "look up the default of \(derive.from)")[0, 0]
    facts.hasMap = try connection.query(
      "SELECT to_regclass($1) IS NOT NULL", [.text(map.table.quoted)], purpose: "look up \(map.table)"
    ).boolean(0, 0)
    let rows = facts.hasMap ? try MapTable.load(map, on: connection).rows : []
    facts.missingStates = map.states.filter { !rows.contains(StateRow($0)) }
    facts.hasSchema = try ControlSchema.isThere(on: connection)
    facts.missingTables = try ControlTable.missing(of: MigrationTables.all, on: connection)
    facts.identities = try identities(of: derive.table, on: connection)
    if let publication {
      facts.publishedColumns = try published(derive.table, by: publication, on: connection)
    }
    return facts
  }

  /// The old column's type once it is renamed: what makes it again after its drop must know it.
  private static func retiredType(
    _ derive: SlotDefinition.Derive, on connection: Connection
  ) throws(PostgresError) -> String? {
    guard let retired = try? Identifier(ObjectName.make(derive.from, "retired")) else { return nil }
    return try MapTable.columnType(retired, of: derive.table, on: connection)
  }

  private static func identities(
    of table: QualifiedName, on connection: Connection
  ) throws(PostgresError) -> [String: String] {
    let rows = try connection.query(
      """
      SELECT pg_catalog.format('"%s"."%s"', replace(n.nspname, '"', '""'), replace(c.relname, '"', '""')),
             CASE c.relreplident WHEN 'f' THEN 'FULL' WHEN 'n' THEN 'NOTHING'
                  WHEN 'i' THEN coalesce('USING INDEX ' || pg_catalog.quote_ident(x.relname), 'DEFAULT') ELSE 'DEFAULT' END
        FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        LEFT JOIN pg_catalog.pg_index i ON i.indrelid = c.oid AND i.indisreplident
        LEFT JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid
       WHERE c.oid = to_regclass($1) OR c.oid IN (SELECT relid FROM pg_catalog.pg_partition_tree(to_regclass($1)))
      """, [.text(table.quoted)], purpose: "look up the replica identity of \(table)")
    return (0..<rows.rowCount).reduce(into: [:]) { found, row in
      if let name = rows[row, 0], let identity = rows[row, 1] { found[name] = identity }
    }
  }

  private static func published(
    _ table: QualifiedName, by publication: Identifier, on connection: Connection
  ) throws(PostgresError) -> [String]? {
    guard connection.serverVersion.major >= 15 else { return nil }
    let rows = try connection.query(
      """
      SELECT to_json(ARRAY(SELECT a.attname::text FROM pg_catalog.pg_attribute a
               WHERE a.attrelid = r.prrelid AND a.attnum = ANY (r.prattrs::int2[]) ORDER BY a.attnum))
        FROM pg_catalog.pg_publication_rel r JOIN pg_catalog.pg_publication p ON p.oid = r.prpubid
       WHERE p.pubname = $1 AND r.prrelid = to_regclass($2) AND r.prattrs IS NOT NULL
      """, [.text(publication.name), .text(table.quoted)],
      purpose: "look up the columns of publication \(publication)")
    return rows[0, 0].flatMap(JSONStrings.parse)
  }

  private static func partitions(
    of table: QualifiedName, on connection: Connection
  ) throws(PostgresError) -> [Partition] {
    let rows = try connection.query(
      """
      SELECT n.nspname, c.relname, pn.nspname, p.relname, t.isleaf
        FROM pg_catalog.pg_partition_tree(to_regclass($1)) t
        JOIN pg_catalog.pg_class c ON c.oid = t.relid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        JOIN pg_catalog.pg_class p ON p.oid = t.parentrelid JOIN pg_catalog.pg_namespace pn ON pn.oid = p.relnamespace
       WHERE t.level > 0 ORDER BY t.level, 1, 2
      """, [.text(table.quoted)], purpose: "look up the partitions of \(table)")
    var partitions: [Partition] = []
    for row in 0..<rows.rowCount {
      guard let name = qualified(rows[row, 0], rows[row, 1]),
        let parent = qualified(rows[row, 2], rows[row, 3])
      else {
        throw .unexpected(purpose: "look up the partitions of \(table)", what: "a table without a name")
      }
      partitions.append(Partition(name: name, parent: parent, isLeaf: rows.boolean(row, 4)))
    }
    return partitions
  }

  private static func qualified(_ schema: String?, _ table: String?) -> QualifiedName? {
    guard let schema, let table, let first = try? Identifier(schema), let second = try? Identifier(table)
    else {
      return nil
    }
    return QualifiedName(schema: first, name: second)
  }
}
