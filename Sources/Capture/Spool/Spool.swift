import ChangeLog
import PGOutput

/// What has been spooled of one transaction: whole chunks in a file, and the bytes that wait to become the next.
///
/// The file is opened for each chunk and closed again: there may be more streamed transactions than descriptors.
struct Spool {
  private(set) var path: String
  private(set) var chunks: [SpoolFormat.Chunk] = []
  /// Records that are in memory only.
  let pending: ByteBuffer
  private let calls: FileCalls

  init(path: String, calls: FileCalls) {
    self.path = path
    self.calls = calls
    pending = ByteBuffer(capacity: 4 << 10)
  }

  /// A spool as its file was found.
  init(path: String, chunks: [SpoolFormat.Chunk], calls: FileCalls) {
    self.init(path: path, calls: calls)
    self.chunks = chunks
  }

  /// Bytes of the records in the file that count.
  var storedBytes: Int { chunks.last.map { $0.start + Int($0.kept) } ?? 0 }
  var fileEnd: UInt64 { chunks.last?.end ?? 0 }
  var hasFile: Bool { !chunks.isEmpty }

  /// Makes a chunk of what is pending. On an error all is as before, and the same call can be made again.
  mutating func flush(_ compressor: FrameCompressor, _ buffer: ByteBuffer) throws(ChangeLogError) {
    guard pending.count > 0 else { return }
    let raw = pending.bytes
    buffer.removeAll(keepingAtMost: 1 << 20)
    buffer.reserve(SpoolFormat.chunkHeader + compressor.bound(raw.count))
    let room = UnsafeMutableRawBufferPointer(
      start: buffer.base + SpoolFormat.chunkHeader, count: buffer.capacity - SpoolFormat.chunkHeader)
    let length = try compressor.compress(raw, into: room)
    let (storedLength, rawLength) = (UInt32(clamping: length), UInt32(clamping: raw.count))
    let chunk = SpoolFormat.Chunk(
      offset: fileEnd, stored: storedLength, raw: rawLength, kept: rawLength,
      checksum: SpoolFormat.Chunk.checksum(
        stored: storedLength, raw: rawLength, UnsafeRawBufferPointer(rebasing: room[..<length])),
      start: storedBytes)
    chunk.encodeHeader(into: buffer)
    buffer.count = SpoolFormat.chunkHeader + length
    let file = try LogFile(path: path, mode: hasFile ? .write : .create, calls: calls)
    try file.write(buffer.bytes, at: chunk.offset)
    chunks.append(chunk)
    pending.removeAll(keepingAtMost: 4 << 10)
  }

  /// Keeps the first bytes. On an error the same call can be made again.
  mutating func cut(to bytes: Int) throws(ChangeLogError) {
    guard bytes < storedBytes else {
      pending.count = min(pending.count, bytes - storedBytes)
      return
    }
    guard let index = chunks.lastIndex(where: { $0.start <= bytes }) else { return }
    let kept = bytes - chunks[index].start
    let file = try LogFile(path: path, mode: .write, calls: calls)
    if kept > 0 {
      let mark = ByteBuffer(capacity: 4)
      mark.append(UInt32(clamping: kept))
      try file.write(mark.bytes, at: chunks[index].offset + SpoolFormat.keptOffset)
      try file.truncate(to: chunks[index].end)
      withExtendedLifetime(mark) {}
      chunks[index].kept = UInt32(clamping: kept)
      chunks.removeSubrange((index + 1)...)
    } else if index > 0 {
      try file.truncate(to: chunks[index].offset)
      chunks.removeSubrange(index...)
    } else {
      try remove()
      chunks = []
    }
    pending.removeAll(keepingAtMost: 4 << 10)
  }

  /// Puts a frame after the last chunk and makes the file durable.
  func seal(with trailer: UnsafeRawBufferPointer) throws(ChangeLogError) {
    let file = try LogFile(path: path, mode: hasFile ? .write : .create, calls: calls)
    try file.write(trailer, at: fileEnd)
    try file.truncate(to: fileEnd + UInt64(trailer.count))
    try file.sync()
  }

  /// Gives the file another name.
  mutating func rename(to newPath: String) throws(ChangeLogError) {
    guard path != newPath else { return }
    try Directory.rename(path, to: newPath, calls)
    path = newPath
  }

  /// Says where the file will be that there is not yet.
  mutating func place(at newPath: String) {
    if !hasFile { path = newPath }
  }

  /// Removes the file, if there is one.
  func remove() throws(ChangeLogError) {
    try Directory.remove(path, calls)
  }

  /// Calls `body` with the records, chunk by chunk, in order.
  func read(
    _ decompressor: FrameDecompressor, _ body: (UnsafeRawBufferPointer) throws(ChangeLogError) -> Void
  ) throws(ChangeLogError) {
    if hasFile {
      let file = try LogFile(path: path, mode: .read, calls: calls)
      let stored = ByteBuffer(capacity: 64 << 10)
      let raw = ByteBuffer(capacity: 256 << 10)
      defer { withExtendedLifetime((stored, raw)) {} }
      for chunk in chunks {
        let records = try Self.load(chunk, of: file, decompressor, stored, raw)
        try body(records)
      }
    }
    if pending.count > 0 { try body(pending.bytes) }
  }

  /// One chunk's records, in `raw`.
  private static func load(
    _ chunk: SpoolFormat.Chunk, of file: LogFile, _ decompressor: FrameDecompressor, _ stored: ByteBuffer,
    _ raw: ByteBuffer
  ) throws(ChangeLogError) -> UnsafeRawBufferPointer {
    func damaged(_ reason: String) -> ChangeLogError {
      .damaged(file: file.path, offset: chunk.offset, reason: reason)
    }
    stored.removeAll(keepingAtMost: 4 << 20)
    stored.reserve(Int(chunk.stored))
    let target = UnsafeMutableRawBufferPointer(start: stored.base, count: Int(chunk.stored))
    let start = chunk.offset + UInt64(SpoolFormat.chunkHeader)
    guard try file.read(at: start, into: target) == target.count else { throw damaged("the file ends early") }
    let checksum = SpoolFormat.Chunk.checksum(
      stored: chunk.stored, raw: chunk.raw, UnsafeRawBufferPointer(target))
    guard checksum == chunk.checksum else {
      throw damaged("the checksum of a spooled chunk differs")
    }
    raw.removeAll(keepingAtMost: 4 << 20)
    raw.reserve(Int(chunk.raw))
    let room = UnsafeMutableRawBufferPointer(start: raw.base, count: Int(chunk.raw))
    try decompressor.decompress(UnsafeRawBufferPointer(target), into: room)
    return UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(room)[..<Int(chunk.kept)])
  }
}
