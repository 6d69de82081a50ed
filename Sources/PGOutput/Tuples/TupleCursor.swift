/// Walks a tuple's columns in order, without allocating.
public struct TupleCursor: ~Escapable {
  @usableFromInline let encoded: RawSpan
  @usableFromInline var offset = 0
  @usableFromInline var left: Int

  /// A cursor over columns that `TupleView` has checked.
  @inlinable
  @_lifetime(copy encoded)
  init(encoded: RawSpan, count: Int) {
    self.encoded = encoded
    left = count
  }

  /// The next column, or nil after the last.
  @inlinable
  @_lifetime(copy self)
  public mutating func next() -> ColumnValue? {
    guard left > 0 else { return nil }
    left -= 1
    let tag = encoded.byte(at: offset)
    offset += 1
    switch tag {
    case ColumnTag.text: return .text(value())
    case ColumnTag.binary: return .binary(value())
    case ColumnTag.unchanged: return .unchanged
    default: return .null
    }
  }

  /// Steps over a column.
  @inlinable
  public mutating func skip() {
    guard left > 0 else { return }
    left -= 1
    let tag = encoded.byte(at: offset)
    offset += 1
    if tag == ColumnTag.text || tag == ColumnTag.binary {
      offset += 4 + Int(encoded.bigEndian(at: offset, as: UInt32.self))
    }
  }

  @inlinable
  @_lifetime(copy self)
  mutating func value() -> RawSpan {
    let start = offset + 4
    offset = start + Int(encoded.bigEndian(at: offset, as: UInt32.self))
    return encoded.extracting(start..<offset)
  }
}
