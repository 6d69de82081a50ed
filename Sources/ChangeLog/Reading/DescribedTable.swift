import PGOutput

/// A table as the log described it last, and what a reader asks of it change by change. One for each description, shared
/// by all changes it describes.
final class DescribedTable: Sendable {
  let relation: Relation
  /// Whether changes of it are asked for.
  let isWanted: Bool
  /// Where the columns stand by which rows are asked for; empty when all are.
  let keyColumns: [Int]
  /// Whether they are sent with an old row of which only the key is.
  let areKeysSentAlone: Bool
  private let hashes: [UInt64]

  /// The table, for a reader of `selection`.
  init(_ relation: Relation, _ selection: LogSelection) {
    self.relation = relation
    let keys = selection.keys?.columns ?? []
    let found = keys.compactMap { relation.columnIndex(named: $0) }
    keyColumns = found
    areKeysSentAlone = found.allSatisfy { relation.columns[$0].isKey }
    isWanted =
      found.count == keys.count && selection.tables?.contains(relation.qualifiedName) ?? true
    hashes = relation.columns.map { Self.hash($0.name) }
  }

  /// The index of the column with exactly this name.
  func index(of column: String) -> Int? {
    let hash = Self.hash(column)
    for index in hashes.indices where hashes[index] == hash {
      let name = relation.columns[index].name
      if name.utf8.count == column.utf8.count, name == column { return index }
    }
    return nil
  }

  /// What is wrong with a row, if its columns are not as many as the table's.
  func mismatch(_ row: RowBytes) -> String? {
    let count = relation.columns.count
    if let old = row.old, old.columnCount != count { return mismatch(old.columnCount) }
    if let new = row.new, new.columnCount != count { return mismatch(new.columnCount) }
    return nil
  }

  /// What is wrong with a row of so many columns.
  func mismatch(_ columns: Int) -> String {
    "a row of \(columns) columns, but \(relation.qualifiedName) was described with \(relation.columns.count)"
  }

  /// FNV-1a: names are short, and compared afterwards.
  private static func hash(_ name: String) -> UInt64 {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    for byte in name.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
    return hash
  }
}
