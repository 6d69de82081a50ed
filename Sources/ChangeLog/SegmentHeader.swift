import PGOutput

/// The first frame of a segment: what it is, whose changes it holds, and what came before it.
struct SegmentHeader: Hashable {
  var origin: OriginIdentity
  /// Every transaction in the segment ends after this; everything up to it stands in earlier segments.
  var start: LSN
  /// SHA-256 of the whole segment before this one; zeros in the first.
  var previous: SegmentDigest

  static let tag = Array("XFADELOG".utf8)
  private static let fixedSize = 86

  var frameSize: Int { LogFormat.framePrefix + Self.fixedSize + origin.slot.utf8.count }

  func encode(into buffer: ByteBuffer) {
    buffer.appendLittleEndian(LogFormat.headerMagic)
    buffer.appendLittleEndian(UInt32(Self.fixedSize + origin.slot.utf8.count))
    let payload = buffer.count
    buffer.append(Self.tag)
    buffer.append(LogFormat.version)
    buffer.append(UInt32(0))
    buffer.append(start.rawValue)
    buffer.append(origin.systemIdentifier)
    buffer.append(origin.timeline)
    buffer.append(origin.databaseOID)
    buffer.append(origin.creationPoint.rawValue)
    buffer.append(previous.bytes)
    buffer.append(UInt16(origin.slot.utf8.count))
    buffer.append(origin.slot.utf8)
    buffer.append(CRC32C.of(buffer.slice(payload..<buffer.count)))
  }

  /// Decodes the frame at the start of `bytes`; `file` is for the errors.
  init(decoding bytes: UnsafeRawBufferPointer, file: String) throws(ChangeLogError) {
    guard bytes.count >= LogFormat.framePrefix + 16, bytes.littleEndianWord(at: 0) == LogFormat.headerMagic,
      bytes[LogFormat.framePrefix..<LogFormat.framePrefix + 8].elementsEqual(Self.tag)
    else { throw .damaged(file: file, offset: 0, reason: "no segment header") }
    let version: UInt32 = bytes.bigEndian(at: LogFormat.framePrefix + 8)
    guard version == LogFormat.version else { throw .unknownVersion(file: file, version: version) }
    let size = Int(bytes.littleEndianWord(at: 4))
    var cursor = ByteCursor(UnsafeRawBufferPointer(rebasing: bytes[LogFormat.framePrefix...]))
    guard bytes.count - LogFormat.framePrefix >= size, size >= Self.fixedSize, cursor.read(count: 16) != nil,
      let start: UInt64 = cursor.read(), let system: UInt64 = cursor.read(),
      let timeline: UInt32 = cursor.read(), let database: UInt32 = cursor.read(),
      let creation: UInt64 = cursor.read(),
      let hash = cursor.read(count: 32), let previous = SegmentDigest(hash),
      let nameLength: UInt16 = cursor.read(), Int(nameLength) + Self.fixedSize == size,
      let name = cursor.read(count: Int(nameLength)), let crc: UInt32 = cursor.read()
    else { throw .damaged(file: file, offset: 0, reason: "the segment header is cut short") }
    let covered = LogFormat.framePrefix..<LogFormat.framePrefix + size - 4
    guard crc == CRC32C.of(UnsafeRawBufferPointer(rebasing: bytes[covered])) else {
      throw .damaged(file: file, offset: 0, reason: "the segment header's checksum does not match")
    }
    guard let slot = String(validating: name, as: UTF8.self) else {
      throw .damaged(file: file, offset: 0, reason: "the segment header's slot name is not UTF-8")
    }
    self.start = LSN(rawValue: start)
    self.previous = previous
    origin = OriginIdentity(
      systemIdentifier: system, timeline: timeline, databaseOID: database,
      slot: slot, creationPoint: LSN(rawValue: creation))
  }

  init(origin: OriginIdentity, start: LSN, previous: SegmentDigest) {
    self.origin = origin
    self.start = start
    self.previous = previous
  }
}
