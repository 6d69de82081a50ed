public import PGOutput

/// A sealed segment that the archive holds, as the catalogue has it.
public struct ArchivedSegment: Hashable, Sendable {
  /// Everything in it ends after this; its name.
  public let start: LSN
  /// Where the next one starts.
  public let watermark: LSN
  /// End of its last whole transaction.
  public let end: LSN
  /// Bytes of its file.
  public let bytes: UInt64
  /// What stands in it.
  public let counts: LogCounts
  /// The timeline of its positions.
  public let timeline: UInt32
  /// SHA-256 of its whole file: what the header of the next one says too.
  public let digest: SegmentDigest
  /// When it was archived, in seconds since 1970.
  public let archivedAt: Int64
  /// Whether it was brought back once, and was what had been archived; else only the command's word stands for it.
  public internal(set) var isVerified: Bool

  /// The same, verified.
  var verified: ArchivedSegment {
    var copy = self
    copy.isVerified = true
    return copy
  }

  /// Its file's name, here and in the archive.
  public var name: String { LogDirectory.name(start) + LogDirectory.suffix }
}

// A line of the catalogue: fields with a space between, and a CRC-32C of what stands before it.
extension ArchivedSegment {
  private static let fields = 13

  var line: String {
    let text = [
      LogDirectory.name(start), LogDirectory.name(watermark), LogDirectory.name(end), "\(bytes)",
      "\(counts.transactions)", "\(counts.changes)", "\(counts.records)", "\(counts.uncompressedBytes)",
      "\(timeline)", digest.description, "\(archivedAt)", isVerified ? "verified" : "trusted",
    ].joined(separator: " ")
    return "\(text) \(Self.checksum(text))"
  }

  /// Nil for what is no whole line.
  init?(line: Substring) {
    let parts = line.split(separator: " ", omittingEmptySubsequences: false)
    guard parts.count == Self.fields, let last = parts.last,
      Self.checksum(String(line.dropLast(last.utf8.count + 1))) == String(last),
      let start = UInt64(parts[0], radix: 16), let watermark = UInt64(parts[1], radix: 16),
      let end = UInt64(parts[2], radix: 16), let bytes = UInt64(parts[3]),
      let transactions = UInt64(parts[4]), let changes = UInt64(parts[5]), let records = UInt64(parts[6]),
      let uncompressed = UInt64(parts[7]), let timeline = UInt32(parts[8]),
      let digest = SegmentDigest(hexadecimal: parts[9]), let archivedAt = Int64(parts[10]),
      let isVerified = ["verified": true, "trusted": false][parts[11]], watermark > start
    else { return nil }
    self.init(
      start: LSN(rawValue: start), watermark: LSN(rawValue: watermark), end: LSN(rawValue: end), bytes: bytes,
      counts: LogCounts(
        transactions: transactions, changes: changes, records: records, uncompressedBytes: uncompressed),
      timeline: timeline, digest: digest, archivedAt: archivedAt, isVerified: isVerified)
  }

  private static func checksum(_ text: String) -> String {
    let value = Array(text.utf8).withUnsafeBytes { CRC32C.of($0) }
    let digits = String(value, radix: 16)
    return String(repeating: "0", count: 8 - digits.count) + digits
  }
}

extension SegmentDigest {
  /// Reads 64 hex digits.
  init?(hexadecimal text: Substring) {
    let digits = Array(text.utf8)
    guard digits.count == 64 else { return nil }
    var bytes: [UInt8] = []
    for at in stride(from: 0, to: 64, by: 2) {
      guard let byte = UInt8(String(decoding: digits[at...at + 1], as: UTF8.self), radix: 16) else {
        return nil
      }
      bytes.append(byte)
    }
    self.init(bytes: bytes)
  }

  /// SHA-256 of a whole file, a piece at a time.
  static func of(_ file: LogFile) throws(ChangeLogError) -> SegmentDigest {
    var hasher = SegmentHasher()
    let piece = ByteBuffer(capacity: 1 << 18)
    defer { withExtendedLifetime(piece) {} }
    var offset: UInt64 = 0
    while true {
      piece.count = try file.read(
        at: offset, into: UnsafeMutableRawBufferPointer(start: piece.base, count: 1 << 18))
      guard piece.count > 0 else { return hasher.digest }
      hasher.update(piece.bytes)
      offset += UInt64(piece.count)
    }
  }
}
