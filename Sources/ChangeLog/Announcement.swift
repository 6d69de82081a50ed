import PGOutput

/// The small skippable frame before each data frame: enough to scan a segment without decompressing it.
/// Without a data frame (`storedLength` 0) it is a watermark.
///
/// A frame that completes a transaction ends outside of one: what follows the last commit of a group goes in a
/// frame of its own. So the end of every frame without `endsInside` is a place where the log can be cut.
struct Announcement: Hashable {
  struct Flags: OptionSet, Hashable {
    let rawValue: UInt32
    /// Holds Relation or Type messages.
    static let relations = Flags(rawValue: 1)
    /// The first record belongs to a transaction begun in an earlier frame.
    static let beginsInside = Flags(rawValue: 2)
    /// The last record belongs to a transaction that goes on in a later frame.
    static let endsInside = Flags(rawValue: 4)
    /// Repeats relations and types known from earlier segments; belongs to no transaction.
    static let repeated = Flags(rawValue: 8)
    static let known: Flags = [.relations, .beginsInside, .endsInside, .repeated]
  }

  /// Bytes of the data frame as stored.
  var storedLength: UInt32 = 0
  /// Bytes of the records it decompresses to.
  var uncompressedLength: UInt32 = 0
  /// End of the first and of the last transaction completed in it; `0/0` when none is.
  var firstCommitEnd = LSN.invalid
  var lastCommitEnd = LSN.invalid
  /// Everything up to here is in the log once this frame is.
  var watermark = LSN.invalid
  /// Offset in the segment up to which the writer knew the file to be on disk when it wrote this.
  var durableOffset: UInt64 = 0
  var records: UInt32 = 0
  var transactions: UInt32 = 0
  var changes: UInt32 = 0
  var flags: Flags = []
  /// CRC-32C of the data frame as stored.
  var dataChecksum: UInt32 = 0

  static let payloadSize = 64
  static let frameSize = LogFormat.framePrefix + payloadSize

  var isWatermark: Bool { storedLength == 0 }

  /// Fills `frameSize` bytes at `target`.
  func encode(to target: UnsafeMutableRawPointer) {
    target.storeBytes(of: LogFormat.announcementMagic.littleEndian, as: UInt32.self)
    target.storeBytes(of: UInt32(Self.payloadSize).littleEndian, toByteOffset: 4, as: UInt32.self)
    let payload = target + LogFormat.framePrefix
    func put<T: FixedWidthInteger>(_ value: T, at offset: Int) {
      payload.storeBytes(of: value.bigEndian, toByteOffset: offset, as: T.self)
    }
    put(storedLength, at: 0)
    put(uncompressedLength, at: 4)
    put(firstCommitEnd.rawValue, at: 8)
    put(lastCommitEnd.rawValue, at: 16)
    put(watermark.rawValue, at: 24)
    put(durableOffset, at: 32)
    put(records, at: 40)
    put(transactions, at: 44)
    put(changes, at: 48)
    put(flags.rawValue, at: 52)
    put(dataChecksum, at: 56)
    put(CRC32C.of(UnsafeRawBufferPointer(start: payload, count: 60)), at: 60)
  }

  init() {}

  /// Decodes a frame of `frameSize` bytes; nil when the magic number, the length or the checksum is wrong, or
  /// when it claims more than LZ4 can do.
  init?(decoding frame: UnsafeRawBufferPointer) {
    guard frame.count >= Self.frameSize, frame.littleEndianWord(at: 0) == LogFormat.announcementMagic,
      frame.littleEndianWord(at: 4) == UInt32(Self.payloadSize)
    else { return nil }
    let payload = UnsafeRawBufferPointer(rebasing: frame[LogFormat.framePrefix..<Self.frameSize])
    guard
      payload.bigEndian(at: 60, as: UInt32.self)
        == CRC32C.of(UnsafeRawBufferPointer(rebasing: payload[..<60]))
    else { return nil }
    storedLength = payload.bigEndian(at: 0)
    uncompressedLength = payload.bigEndian(at: 4)
    firstCommitEnd = LSN(rawValue: payload.bigEndian(at: 8))
    lastCommitEnd = LSN(rawValue: payload.bigEndian(at: 16))
    watermark = LSN(rawValue: payload.bigEndian(at: 24))
    durableOffset = payload.bigEndian(at: 32)
    records = payload.bigEndian(at: 40)
    transactions = payload.bigEndian(at: 44)
    changes = payload.bigEndian(at: 48)
    flags = Flags(rawValue: payload.bigEndian(at: 52))
    dataChecksum = payload.bigEndian(at: 56)
    guard Int(uncompressedLength) <= LogFormat.groupLimit,
      Int(uncompressedLength) <= Int(storedLength) * LogFormat.expansionLimit,
      flags.subtracting(.known).isEmpty
    else { return nil }
  }
}
