/// One column of a row, as the wire has it; the bytes are the message's own.
public enum ColumnValue: ~Escapable {
  /// `n`: NULL, or, in a `K` tuple, a column that is not part of the key and says nothing.
  case null
  /// `u`: a TOASTed value that the change did not touch. Not NULL: the value is simply not sent.
  case unchanged
  /// `t`: the type's text form.
  case text(RawSpan)
  /// `b`: the type's binary form (`binary 'true'`).
  case binary(RawSpan)

  /// The value's bytes, text or binary; nil where there is none.
  @inlinable
  public var bytes: RawSpan? {
    @_lifetime(copy self)
    get {
      switch self {
      case .null, .unchanged: nil
      case .text(let bytes), .binary(let bytes): bytes
      }
    }
  }

  /// Whether it is NULL.
  @inlinable
  public var isNull: Bool {
    switch self {
    case .null: true
    case .unchanged, .text, .binary: false
    }
  }

  /// Whether it is a TOASTed value that was not sent.
  @inlinable
  public var isUnchanged: Bool {
    switch self {
    case .unchanged: true
    case .null, .text, .binary: false
    }
  }
}

/// The byte before each column (`proto.c`, `LOGICALREP_COLUMN_*`).
@usableFromInline
enum ColumnTag {
  @usableFromInline static let null = UInt8(ascii: "n")
  @usableFromInline static let unchanged = UInt8(ascii: "u")
  @usableFromInline static let text = UInt8(ascii: "t")
  @usableFromInline static let binary = UInt8(ascii: "b")
}
