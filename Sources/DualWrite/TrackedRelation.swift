import Derivation
import PGOutput

/// Where the key and the status stand in the rows of the derived table, as its last `R` message described them.
struct TrackedRelation {
  let keyColumns: [Int]
  let statusColumn: Int?
  /// The new column; nil where it is not published.
  let toColumn: Int?
  /// How a key column's binary values read, by the column's place in the key; nil where they cannot be read.
  let keyForms: [BinaryForm?]
  let statusForm: BinaryForm?
  let toForm: BinaryForm?

  /// Nil when the relation is another table.
  ///
  /// - Parameter forms: the binary forms of types that are not built in.
  init?(
    _ relation: Relation, derive: SlotDefinition.Derive, forms: [TypeOID: BinaryForm]
  ) throws(DualWriteError) {
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
    func form(_ column: Int) -> BinaryForm? {
      let type = relation.columns[column].type
      return BinaryForm(builtIn: type) ?? forms[type]
    }
    keyForms = columns.map(form)
    statusForm = statusColumn.flatMap(form)
    toColumn = relation.columnIndex(named: derive.to.name)
    toForm = toColumn.flatMap(form)
  }
}
