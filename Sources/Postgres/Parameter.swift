/// A value for `$1`, `$2`, ... of a statement.
public enum Parameter: Sendable {
  /// SQL NULL.
  case null
  /// A value in PostgreSQL's text form.
  case text(String)
  /// A value in PostgreSQL's text form, as bytes that end with a zero byte (libpq reads text that way).
  case terminatedText([UInt8])

  /// An integer.
  public static func integer(_ value: some BinaryInteger & Sendable) -> Parameter { .text(String(value)) }

  /// A text, or NULL for nil.
  public static func optional(_ value: String?) -> Parameter { value.map { .text($0) } ?? .null }
}

extension Parameter: ExpressibleByStringLiteral {
  /// A text.
  public init(stringLiteral value: String) { self = .text(value) }
}

/// Lends parameters to libpq as the arrays it wants, for the time of one call.
func withLibPQParameters<Result>(
  _ parameters: [Parameter], _ body: (UnsafePointer<UnsafePointer<CChar>?>?, Int32) -> Result
) -> Result {
  var flat: [UInt8] = []
  var offsets: [Int?] = []
  offsets.reserveCapacity(parameters.count)
  for parameter in parameters {
    switch parameter {
    case .null:
      offsets.append(nil)
    case .text(let text):
      offsets.append(flat.count)
      flat.append(contentsOf: text.utf8)
      flat.append(0)
    case .terminatedText(let bytes):
      offsets.append(flat.count)
      flat.append(contentsOf: bytes)
      if bytes.last != 0 { flat.append(0) }
    }
  }
  return flat.withUnsafeBytes { raw in
    let base = raw.baseAddress?.assumingMemoryBound(to: CChar.self)
    let pointers = offsets.map { offset -> UnsafePointer<CChar>? in
      guard let offset, let base else { return nil }
      return base + offset
    }
    return pointers.withUnsafeBufferPointer { body($0.baseAddress, Int32($0.count)) }
  }
}
