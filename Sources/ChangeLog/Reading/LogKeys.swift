import Glibc
import PGOutput

/// A few rows, told by their key: what a reader asks for who wants to know what happened to them.
///
/// A change is one of theirs when all of `columns` together have one of the `values`, in the row as it was or as it
/// became. A truncation of a table with these columns is everybody's.
public struct LogKeys: Hashable, Sendable {
  /// The key's columns.
  public let columns: [String]
  /// The keys: of each, a text for each column, as PostgreSQL prints it. Compared byte by byte.
  public let values: [[String]]

  private let wanted: [[[UInt8]]]

  /// Rows by their key; a key without a text for each column is no row's.
  public init(columns: [String], values: [[String]]) {
    self.columns = columns
    self.values = values
    wanted = values.filter { $0.count == columns.count }.map { $0.map { Array($0.utf8) } }
  }

  /// Whether a row of `table` was one of these, or became one.
  func match(_ row: RowBytes, in bytes: UnsafeRawBufferPointer, _ table: DescribedTable) -> Bool {
    if let new = row.new, match(new, row, bytes, table) { return true }
    guard let old = row.old, row.isOldFull || table.areKeysSentAlone else { return false }
    return match(old, row, bytes, table)
  }

  private func match(
    _ tuple: RowBytes.Tuple, _ row: RowBytes, _ bytes: UnsafeRawBufferPointer, _ table: DescribedTable
  ) -> Bool {
    wanted.contains { key in
      for (text, index) in zip(key, table.keyColumns) {
        let value = row.column(index, of: tuple)
        let given = UnsafeRawBufferPointer(rebasing: bytes[value.range])
        switch value.kind {
        case UInt8(ascii: "t"):
          guard Self.equal(given, text) else { return false }
        case UInt8(ascii: "b"):
          // As text: the reader need not know in which form the server was asked for it.
          var converted: [UInt8] = []
          guard let form = BinaryForm(builtIn: table.relation.columns[index].type),
            form.appendText(of: given.bytes, to: &converted), converted == text
          else { return false }
        default: return false
        }
      }
      return true
    }
  }
  private static func equal(_ given: UnsafeRawBufferPointer, _ text: [UInt8]) -> Bool {
    guard given.count == text.count else { return false }
    guard let base = given.baseAddress, !text.isEmpty else { return text.isEmpty }
    return memcmp(base, text, text.count) == 0
  }
}
