import PGOutput

/// The last frame of a sealed segment: where to start reading for a position, and a digest of all before it.
struct SegmentIndex: Hashable {
  /// At `offset` an announcement stands; every transaction before it ends at or before `position`, every one after it
  /// later.
  struct Entry: Hashable {
    var position: LSN
    var offset: UInt64
  }

  var start: LSN
  /// End of the last transaction in the segment, or `start`.
  var end: LSN
  /// The next segment's start, and thereby its name.
  var watermark: LSN
  var counts = LogCounts()
  /// Where this frame stands: the length of what `digest` covers.
  var bodyLength: UInt64 = 0
  var digest = SegmentDigest.none
  var entries: [Entry] = []
  /// Announcements of the frames that hold Relation or Type messages.
  var relationOffsets: [UInt64] = []

  static let tag = Array("XFADEIDX".utf8)
  private static let fixedSize = 120

  var frameSize: Int {
    LogFormat.framePrefix + Self.fixedSize + entries.count * 16 + relationOffsets.count * 8
  }

  func encode(into buffer: ByteBuffer) {
    buffer.appendLittleEndian(LogFormat.indexMagic)
    buffer.appendLittleEndian(UInt32(frameSize - LogFormat.framePrefix))
    let payload = buffer.count
    buffer.append(Self.tag)
    buffer.append(start.rawValue)
    buffer.append(end.rawValue)
    buffer.append(watermark.rawValue)
    buffer.append(counts.transactions)
    buffer.append(counts.changes)
    buffer.append(counts.records)
    buffer.append(counts.uncompressedBytes)
    buffer.append(bodyLength)
    buffer.append(digest.bytes)
    buffer.append(UInt32(entries.count))
    buffer.append(UInt32(relationOffsets.count))
    for entry in entries {
      buffer.append(entry.position.rawValue)
      buffer.append(entry.offset)
    }
    for offset in relationOffsets { buffer.append(offset) }
    buffer.append(UInt32(frameSize))
    buffer.append(CRC32C.of(buffer.slice(payload..<buffer.count)))
  }

  init(start: LSN, end: LSN, watermark: LSN) {
    self.start = start
    self.end = end
    self.watermark = watermark
  }

  /// Decodes a whole frame; nil when anything in it does not fit.
  init?(decoding frame: UnsafeRawBufferPointer) {
    guard frame.count >= LogFormat.framePrefix + Self.fixedSize,
      frame.littleEndianWord(at: 0) == LogFormat.indexMagic,
      Int(frame.littleEndianWord(at: 4)) == frame.count - LogFormat.framePrefix
    else { return nil }
    let payload = UnsafeRawBufferPointer(rebasing: frame[LogFormat.framePrefix...])
    let covered = UnsafeRawBufferPointer(rebasing: payload[..<(payload.count - 4)])
    var cursor = ByteCursor(payload)
    guard payload.bigEndian(at: payload.count - 4, as: UInt32.self) == CRC32C.of(covered),
      let tag = cursor.read(count: 8), tag.elementsEqual(Self.tag),
      let start: UInt64 = cursor.read(), let end: UInt64 = cursor.read(), let mark: UInt64 = cursor.read(),
      let transactions: UInt64 = cursor.read(), let changes: UInt64 = cursor.read(),
      let records: UInt64 = cursor.read(), let uncompressed: UInt64 = cursor.read(),
      let bodyLength: UInt64 = cursor.read(),
      let hash = cursor.read(count: 32), let digest = SegmentDigest(hash),
      let entryCount: UInt32 = cursor.read(), let relationCount: UInt32 = cursor.read(),
      payload.count == Self.fixedSize + Int(entryCount) * 16 + Int(relationCount) * 8
    else { return nil }
    self.init(start: LSN(rawValue: start), end: LSN(rawValue: end), watermark: LSN(rawValue: mark))
    counts = LogCounts(
      transactions: transactions, changes: changes, records: records, uncompressedBytes: uncompressed)
    self.bodyLength = bodyLength
    self.digest = digest
    for _ in 0..<entryCount {
      guard let position: UInt64 = cursor.read(), let offset: UInt64 = cursor.read() else { return nil }
      entries.append(Entry(position: LSN(rawValue: position), offset: offset))
    }
    for _ in 0..<relationCount {
      guard let offset: UInt64 = cursor.read() else { return nil }
      relationOffsets.append(offset)
    }
  }
}
