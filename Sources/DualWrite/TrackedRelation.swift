import Derivation
import PGOutput

/// Where the key and the status stand in the rows of the derived table, as its last `R` message described them.
struct TrackedRelation {
  let keyColumns: [Int]
  let statusColumn: Int?

  /// Nil when the relation is another table.
  init?(_ relation: Relation, derive: SlotDefinition.Derive) throws(DualWriteError) {
    guard relation.schema.utf8.elementsEqual(derive.table.schema.name.utf8),
      relation.name.utf8.elementsEqual(derive.table.name.name.utf8)
    else { return nil }
    var columns: [Int] = []
    for key in derive.key {
      guard let index = relation.columnIndex(named: key.name) else {
        throw .relationUnfit(relation: relation.qualifiedName, what: "key column \(key) is not published")
      }
      columns.append(index)
    }
    keyColumns = columns
    // After the contract the old column may be gone; its rows are then derived as they stand.
    statusColumn = relation.columnIndex(named: derive.from.name)
  }
}
