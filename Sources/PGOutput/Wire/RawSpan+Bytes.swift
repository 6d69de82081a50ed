// The only file of the target with `unsafe` in it. Each use is sound for every input: loads are bounds-checked by
// the standard library, and every bit pattern is a valid integer.

extension RawSpan {
  /// The big-endian integer at a byte offset; traps outside the bounds, so callers check first.
  @inlinable @inline(__always)
  func bigEndian<Number: FixedWidthInteger & BitwiseCopyable>(at offset: Int, as: Number.Type) -> Number {
    Number(bigEndian: unsafe unsafeLoadUnaligned(fromByteOffset: offset, as: Number.self))
  }

  /// The byte at an offset; traps outside the bounds, so callers check first.
  @inlinable @inline(__always)
  public func byte(at offset: Int) -> UInt8 {
    unsafe unsafeLoadUnaligned(fromByteOffset: offset, as: UInt8.self)
  }

  /// The same bytes as a span of bytes.
  @inlinable
  public var octets: Span<UInt8> {
    @_lifetime(copy self)
    get { unsafe _unsafeView(as: UInt8.self) }
  }

  /// The text these bytes are, or nil if they are not UTF-8.
  public var utf8String: String? {
    guard let text = try? UTF8Span(validating: octets) else { return nil }
    return String(copying: text)
  }

  /// Whether these bytes are exactly the UTF-8 of a string. Nothing is normalized.
  public func equalsUTF8(of string: String) -> Bool {
    let utf8 = string.utf8
    guard utf8.count == byteCount else { return false }
    var offset = 0
    for unit in utf8 {
      if byte(at: offset) != unit { return false }
      offset += 1
    }
    return true
  }
}

extension Array<UInt8> {
  /// The bytes as a view that lasts as long as the array. (A span of padded elements would be unsafe; bytes have
  /// no padding.)
  @inlinable
  public var rawBytes: RawSpan {
    @_lifetime(borrow self)
    get { unsafe span.bytes }
  }

  /// Appends a copy of the bytes.
  @inlinable
  public mutating func append(_ bytes: RawSpan) {
    unsafe bytes.withUnsafeBytes { unsafe append(contentsOf: $0) }
  }

  /// A copy of the bytes.
  public init(_ bytes: RawSpan) {
    self.init()
    append(bytes)
  }
}
