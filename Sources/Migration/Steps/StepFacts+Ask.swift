public import Derivation
import DualWrite
public import Postgres

extension StepFacts {
  /// Reads them; only asks, and needs no right but to read the map.
  public static func ask(
    _ derive: SlotDefinition.Derive, on connection: Connection
  ) throws(PostgresError) -> StepFacts {
    var facts = StepFacts(version: connection.serverVersion)
    let table = try connection.query(
      "SELECT relkind = 'p' FROM pg_catalog.pg_class WHERE oid = to_regclass($1)",
      [.text(derive.table.quoted)],
      purpose: "look up table \(derive.table)")
    facts.isPartitioned = table.boolean(0, 0)
    if facts.isPartitioned { facts.partitions = try partitions(of: derive.table, on: connection) }
    let map = derive.map
    facts.statusType = try MapTable.columnType(derive.from, of: derive.table, on: connection) ?? "text"
    facts.idType = try MapTable.columnType(map.id, of: map.table, on: connection) ?? "bigint"
    facts.requiresStatus = try connection.query(
      CatalogProbe.notNull(derive.from, of: derive.table), purpose: "look up column \(derive.from)"
    ).boolean(0, 0)
    facts.hasMap = try connection.query(
      "SELECT to_regclass($1) IS NOT NULL", [.text(map.table.quoted)], purpose: "look up \(map.table)"
    ).boolean(0, 0)
    let rows = facts.hasMap ? try MapTable.load(map, on: connection).rows : []
    facts.missingStates = map.states.filter { !rows.contains(StateRow($0)) }
    facts.hasSchema = try ControlSchema.isThere(on: connection)
    facts.missingTables = try ControlTable.missing(of: MigrationTables.all, on: connection)
    return facts
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
