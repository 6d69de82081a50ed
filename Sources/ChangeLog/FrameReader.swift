/// Reads one data frame of a segment: checks its bytes against the announcement, then decompresses them.
final class FrameReader {
  private let decompressor: FrameDecompressor
  private let stored = ByteBuffer(capacity: 64 << 10)

  init() throws(ChangeLogError) { decompressor = try FrameDecompressor() }

  /// The records of the frame announced at `offset`.
  func read(
    _ announcement: Announcement, at offset: UInt64, of file: LogFile
  ) throws(ChangeLogError) -> LogBytes {
    let length = Int(announcement.storedLength)
    stored.removeAll(keepingAtMost: max(length, 4 << 20))
    stored.reserve(length)
    let memory = UnsafeMutableRawBufferPointer(start: stored.base, count: length)
    stored.count = try file.read(at: offset + UInt64(Announcement.frameSize), into: memory)
    guard stored.count == length, CRC32C.of(stored.bytes) == announcement.dataChecksum else {
      throw .damaged(
        file: file.path, offset: offset,
        reason: "the data frame's checksum does not match its announcement")
    }
    do throws(ChangeLogError) {
      return try LogBytes(count: Int(announcement.uncompressedLength)) { target throws(ChangeLogError) in
        try decompressor.decompress(stored.bytes, into: target)
      }
    } catch {
      throw .damaged(file: file.path, offset: offset, reason: error.description)
    }
  }
}
