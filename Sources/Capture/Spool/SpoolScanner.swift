import ChangeLog
import PGOutput

/// Reads a prepared transaction's spool as a process before this one left it.
struct SpoolScanner {
  private let file: LogFile
  private let calls: FileCalls
  private let size: UInt64
  private let readsData: Bool

  /// - Parameter readsData: whether every checksum is to be compared; else only what the frames say is read.
  init(path: String, calls: FileCalls, readsData: Bool = true) throws(ChangeLogError) {
    self.readsData = readsData
    self.calls = calls
    file = try LogFile(path: path, mode: .read, calls: calls)
    size = try file.size()
  }

  /// The spool and what its last frame says of it.
  func scan() throws(ChangeLogError) -> (spool: Spool, transaction: PreparedTransaction) {
    var chunks: [SpoolFormat.Chunk] = []
    var offset: UInt64 = 0
    var start = 0
    while true {
      let head = try bytes(at: offset, count: 8)
      let magic = Self.littleEndian(head, 0)
      let length = Self.littleEndian(head, 4)
      guard magic == SpoolFormat.chunkMagic else {
        let transaction = try trailer(at: offset, magic: magic, length: length, of: chunks)
        guard transaction.bytes == start else {
          throw damaged(offset, "it holds \(start) bytes of records, not \(transaction.bytes)")
        }
        return (Spool(path: file.path, chunks: chunks, calls: calls), transaction)
      }
      let chunk = try chunk(at: offset, length: length, start: start)
      chunks.append(chunk)
      offset = chunk.end
      start += Int(chunk.kept)
    }
  }

  private func chunk(at offset: UInt64, length: UInt32, start: Int) throws(ChangeLogError)
    -> SpoolFormat.Chunk
  {
    guard length == UInt32(SpoolFormat.chunkHeader - 8) else { throw damaged(offset, "a chunk's header") }
    let head = try bytes(at: offset, count: SpoolFormat.chunkHeader)
    func number(_ at: Int) -> UInt32 { head[at..<(at + 4)].reduce(0) { $0 << 8 | UInt32($1) } }
    let chunk = SpoolFormat.Chunk(
      offset: offset, stored: number(8), raw: number(12), kept: number(16), checksum: number(20), start: start
    )
    guard chunk.kept <= chunk.raw, UInt64(chunk.raw) <= UInt64(chunk.stored) * 255, chunk.end <= size else {
      throw damaged(offset, "a chunk's lengths")
    }
    guard readsData else { return chunk }
    let stored = try bytes(at: offset + UInt64(SpoolFormat.chunkHeader), count: Int(chunk.stored))
    let checksum = stored.withUnsafeBytes {
      SpoolFormat.Chunk.checksum(stored: chunk.stored, raw: chunk.raw, $0)
    }
    guard checksum == chunk.checksum else {
      throw damaged(offset, "the checksum of a spooled chunk differs")
    }
    return chunk
  }

  private func trailer(
    at offset: UInt64, magic: UInt32, length: UInt32, of chunks: [SpoolFormat.Chunk]
  ) throws(ChangeLogError) -> PreparedTransaction {
    guard magic == SpoolFormat.preparedMagic, offset + 8 + UInt64(length) == size,
      let transaction = SpoolFormat.decodePrepared(
        try bytes(at: offset + 8, count: Int(length)), of: chunks)
    else { throw damaged(offset, "it does not say which prepared transaction it holds") }
    return transaction
  }

  private func bytes(at offset: UInt64, count: Int) throws(ChangeLogError) -> [UInt8] {
    guard offset + UInt64(count) <= size else { throw damaged(offset, "the file ends early") }
    let buffer = ByteBuffer(capacity: count)
    defer { withExtendedLifetime(buffer) {} }
    let got = try file.read(
      at: offset, into: UnsafeMutableRawBufferPointer(start: buffer.base, count: count))
    guard got == count else { throw damaged(offset, "the file ends early") }
    buffer.count = count
    return [UInt8](buffer.bytes)
  }

  private func damaged(_ offset: UInt64, _ reason: String) -> ChangeLogError {
    .damaged(file: file.path, offset: offset, reason: reason)
  }

  private static func littleEndian(_ bytes: [UInt8], _ at: Int) -> UInt32 {
    bytes[at..<(at + 4)].reversed().reduce(0) { $0 << 8 | UInt32($1) }
  }
}
