/// A column's value that stands by itself: for building rows.
public enum ColumnImage: Hashable, Sendable {
  /// NULL.
  case null
  /// A TOASTed value that is not sent.
  case unchanged
  /// The type's text form.
  case text(String)
  /// The type's binary form.
  case binary([UInt8])
}

/// A row that owns its bytes, encoded as on the wire: for fixtures, spools and tests.
public struct OwnedTuple: Hashable, Sendable {
  private let bytes: [UInt8]

  /// A row from its columns; those past 65,535, which the wire cannot count, are left out.
  public init(_ columns: [ColumnImage]) {
    var writer = WireWriter()
    let counted = columns.prefix(Int(UInt16.max))
    writer.uint16(UInt16(truncatingIfNeeded: counted.count))
    for column in counted {
      switch column {
      case .null: writer.uint8(ColumnTag.null)
      case .unchanged: writer.uint8(ColumnTag.unchanged)
      case .text(let text): Self.write(Array(text.utf8), tag: ColumnTag.text, to: &writer)
      case .binary(let value): Self.write(value, tag: ColumnTag.binary, to: &writer)
      }
    }
    bytes = writer.bytes
  }

  /// The row as a view that lasts as long as this value.
  public var view: TupleView {
    @_lifetime(borrow self)
    get throws(DecodeError) {
      var reader = WireReader(bytes.rawBytes)
      return try TupleView(from: &reader)
    }
  }

  private static func write(_ value: [UInt8], tag: UInt8, to writer: inout WireWriter) {
    writer.uint8(tag)
    writer.uint32(UInt32(truncatingIfNeeded: value.count))
    writer.span(value.rawBytes)
  }
}
