import PGOutput

/// An insert, update or delete of protocol 1, looked at in place (`proto.c`, `logicalrep_write_tuple`).
///
/// Invariant: the message was walked from end to end when this was made, so what it gives lies within. Anything else
/// than a sound message gives nil: PGOutput's decoder then says what is wrong with it, and where.
struct RowBytes {
  /// A row's columns.
  struct Tuple {
    /// Where the first column begins.
    let start: Int
    let columnCount: Int
  }

  /// A column: its kind as on the wire, and where its value stands.
  struct Value {
    let kind: UInt8
    let range: Range<Int>
  }

  private(set) var old: Tuple?
  private(set) var new: Tuple?
  /// Whether the old row is whole, and not its key alone.
  private(set) var isOldFull = false

  private let bytes: UnsafeRawBufferPointer

  /// Walks the message at `place` of `bytes`, which must outlive it.
  init?(_ bytes: UnsafeRawBufferPointer, _ place: RecordPlace) {
    self.bytes = bytes
    var offset = place.start + 5
    guard place.count > 5 else { return nil }
    let mark = bytes[offset]
    offset += 1
    if mark != UInt8(ascii: "N") {
      guard mark == UInt8(ascii: "K") || mark == UInt8(ascii: "O"), place.tag != UInt8(ascii: "I"),
        let tuple = Self.walk(bytes, &offset, place.end)
      else { return nil }
      old = tuple
      isOldFull = mark == UInt8(ascii: "O")
      if place.tag == UInt8(ascii: "U") {
        guard offset < place.end, bytes[offset] == UInt8(ascii: "N") else { return nil }
        offset += 1
      }
    } else if place.tag == UInt8(ascii: "D") {
      return nil
    }
    if place.tag != UInt8(ascii: "D") {
      guard let tuple = Self.walk(bytes, &offset, place.end) else { return nil }
      new = tuple
    }
    guard offset == place.end else { return nil }
  }

  /// The column at an index that the tuple has.
  func column(_ index: Int, of tuple: Tuple) -> Value {
    var offset = tuple.start
    for _ in 0..<index { offset = after(offset) }
    let kind = bytes[offset]
    guard Self.hasValue(kind) else { return Value(kind: kind, range: offset + 1..<offset + 1) }
    return Value(kind: kind, range: offset + 5..<after(offset))
  }

  /// The column at an index that the tuple has, as a value that lasts.
  func image(_ index: Int, of tuple: Tuple) -> ColumnImage {
    let value = column(index, of: tuple)
    let given = UnsafeRawBufferPointer(rebasing: bytes[value.range])
    switch value.kind {
    case UInt8(ascii: "n"): return .null
    case UInt8(ascii: "u"): return .unchanged
    case UInt8(ascii: "b"): return .binary([UInt8](given))
    default:
      guard let text = given.bytes.utf8String else { return .binary([UInt8](given)) }
      return .text(text)
    }
  }

  private func after(_ offset: Int) -> Int {
    guard Self.hasValue(bytes[offset]) else { return offset + 1 }
    return offset + 5 + Int(bytes.bigEndian(at: offset + 1, as: UInt32.self))
  }

  private static func hasValue(_ kind: UInt8) -> Bool {
    kind == UInt8(ascii: "t") || kind == UInt8(ascii: "b")
  }

  /// Steps over a tuple's count and columns.
  @inline(__always)
  private static func walk(_ bytes: UnsafeRawBufferPointer, _ offset: inout Int, _ end: Int) -> Tuple? {
    guard end - offset >= 2 else { return nil }
    let count = Int(bytes.bigEndian(at: offset, as: UInt16.self))
    var at = offset + 2
    let start = at
    for _ in 0..<count {
      guard at < end else { return nil }
      switch bytes[at] {
      case UInt8(ascii: "t"), UInt8(ascii: "b"):
        guard end - at >= 5 else { return nil }
        let length = Int(bytes.bigEndian(at: at + 1, as: Int32.self))
        guard length >= 0, end - at - 5 >= length else { return nil }
        at += 5 + length
      case UInt8(ascii: "n"), UInt8(ascii: "u"): at += 1
      default: return nil
      }
    }
    offset = at
    return Tuple(start: start, columnCount: count)
  }
}
