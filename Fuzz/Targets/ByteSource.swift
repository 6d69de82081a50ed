/// Choices taken from bytes one after another: what turns any bytes into a story. At the end come zeros.
struct ByteSource {
  private let bytes: ArraySlice<UInt8>
  private var at: Int

  init(_ bytes: some Collection<UInt8>) {
    self.bytes = Array(bytes)[...]
    at = 0
  }

  var isEmpty: Bool { at >= bytes.count }

  /// The bytes not yet taken.
  var rest: ArraySlice<UInt8> { bytes[min(at, bytes.count)...] }

  mutating func byte() -> UInt8 {
    guard at < bytes.count else { return 0 }
    defer { at += 1 }
    return bytes[at]
  }

  /// A number below `bound`, which is at most 65,536.
  mutating func number(below bound: Int) -> Int {
    guard bound > 1 else { return 0 }
    let value = bound > 256 ? Int(byte()) << 8 | Int(byte()) : Int(byte())
    return value % bound
  }

  /// One of these.
  mutating func pick<Element>(_ choices: [Element]) -> Element { choices[number(below: choices.count)] }
}

extension Array<UInt8> {
  /// As `withUnsafeBytes`, with the error's type kept.
  func lend<Value, Failure: Error>(_ body: (UnsafeRawBufferPointer) throws(Failure) -> Value) throws(Failure)
    -> Value
  {
    let result: Result<Value, Failure> = withUnsafeBytes { bytes in
      do throws(Failure) { return .success(try body(bytes)) } catch { return .failure(error) }
    }
    return try result.get()
  }

  /// As `withUnsafeMutableBytes`, with the error's type kept.
  mutating func lendMutable<Value, Failure: Error>(
    _ body: (UnsafeMutableRawBufferPointer) throws(Failure) -> Value
  ) throws(Failure) -> Value {
    let result: Result<Value, Failure> = withUnsafeMutableBytes { bytes in
      do throws(Failure) { return .success(try body(bytes)) } catch { return .failure(error) }
    }
    return try result.get()
  }
}
