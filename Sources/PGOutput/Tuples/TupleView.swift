/// A row's columns, over the bytes of its message (`proto.c logicalrep_read_tuple`).
///
/// Invariant: the bytes were walked once when the view was made, so every column is known to lie within them, and
/// reading one cannot fail.
public struct TupleView: ~Escapable {
  /// How many columns there are.
  public let columnCount: Int
  /// The columns, without their count.
  @usableFromInline let encoded: RawSpan

  /// Reads count and columns: each a byte, and for `t` and `b` a length and the value.
  @_lifetime(copy reader)
  init(from reader: inout WireReader) throws(DecodeError) {
    columnCount = Int(try reader.uint16("column count"))
    let start = reader.offset
    for column in 0..<columnCount {
      do throws(DecodeError) {
        let tag = try reader.uint8("kind")
        switch tag {
        case ColumnTag.text, ColumnTag.binary: try reader.skip(try reader.length("length"), "value")
        case ColumnTag.null, ColumnTag.unchanged: break
        default: throw reader.unexpected("kind", byte: tag, allowed: "n, u, t, b")
        }
      } catch {
        throw error.inColumn(column)
      }
    }
    encoded = reader.bytes.extracting(start..<reader.offset)
  }

  /// Writes count and columns.
  public func encode(to writer: inout WireWriter) {
    writer.uint16(UInt16(truncatingIfNeeded: columnCount))
    writer.span(encoded)
  }

  /// A cursor at the first column.
  @inlinable
  public var columns: TupleCursor {
    @_lifetime(copy self)
    get { TupleCursor(encoded: encoded, count: columnCount) }
  }

  /// The column at an index from 0, or nil when there are not so many. Steps over those before it.
  @inlinable
  @_lifetime(copy self)
  public func column(at index: Int) -> ColumnValue? {
    guard index >= 0, index < columnCount else { return nil }
    var cursor = columns
    for _ in 0..<index { cursor.skip() }
    return cursor.next()
  }

  /// Calls `body` with each column in order.
  @inlinable
  public func forEachColumn<Failure: Error>(
    _ body: (Int, borrowing ColumnValue) throws(Failure) -> Void
  ) throws(Failure) {
    var cursor = columns
    var index = 0
    while let value = cursor.next() {
      try body(index, value)
      index += 1
    }
  }
}
