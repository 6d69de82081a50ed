import Crypto

/// A SHA-256 value: of a whole segment in the header of the next, of a segment's body in its own index.
public struct SegmentDigest: Hashable, Sendable, CustomStringConvertible {
  /// The 32 bytes.
  public let bytes: [UInt8]

  /// The digest before the first segment: zeros.
  public static let none = SegmentDigest(bytes: [UInt8](repeating: 0, count: 32))

  init(bytes: [UInt8]) { self.bytes = bytes }

  init?(_ source: UnsafeRawBufferPointer) {
    guard source.count == 32 else { return nil }
    bytes = [UInt8](source)
  }

  /// 64 lower-case hex digits, as `sha256sum` prints them.
  public var description: String {
    bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }
}

/// SHA-256 over a segment as it is written or scanned; a copy keeps what was hashed so far.
struct SegmentHasher {
  private var hash = SHA256()

  mutating func update(_ bytes: UnsafeRawBufferPointer) { hash.update(bufferPointer: bytes) }

  var digest: SegmentDigest { SegmentDigest(bytes: [UInt8](hash.finalize())) }
}
