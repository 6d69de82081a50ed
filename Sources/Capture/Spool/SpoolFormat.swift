import ChangeLog
import PGOutput

/// The numbers of a spool file. `docs/change-log-format.md` specifies it.
enum SpoolFormat {
  /// Skippable LZ4 frames, as in the log: `lz4 -dc` prints a spool too (what was cut from a chunk with it).
  static let chunkMagic: UInt32 = 0x184D_2A54
  static let preparedMagic: UInt32 = 0x184D_2A55
  /// Magic number and length, then stored, raw and kept length, and the CRC-32C of the stored bytes.
  static let chunkHeader = 24
  /// Where the kept length stands in a chunk's header.
  static let keptOffset: UInt64 = 16
  static let version: UInt32 = 1

  static let openSuffix = ".open"
  static let preparedSuffix = ".prepared"
  static let committingSuffix = ".committing"

  /// A chunk as it stands in a file.
  struct Chunk: Equatable {
    /// Of its header in the file.
    var offset: UInt64
    var stored: UInt32
    var raw: UInt32
    /// What of the raw bytes counts: the rest was rolled back.
    var kept: UInt32
    var checksum: UInt32
    /// The kept bytes of the chunks before.
    var start: Int

    /// Over the stored and raw lengths and the data; what is kept may change, and is counted by the last frame.
    static func checksum(stored: UInt32, raw: UInt32, _ data: UnsafeRawBufferPointer) -> UInt32 {
      var crc = CRC32C()
      for length in [stored, raw] { withUnsafeBytes(of: length.bigEndian) { crc.update($0) } }
      crc.update(data)
      return crc.value
    }

    var end: UInt64 { offset + UInt64(SpoolFormat.chunkHeader) + UInt64(stored) }

    func encodeHeader(into buffer: ByteBuffer) {
      buffer.appendLittleEndian(SpoolFormat.chunkMagic)
      buffer.appendLittleEndian(UInt32(SpoolFormat.chunkHeader - 8))
      buffer.append(stored)
      buffer.append(raw)
      buffer.append(kept)
      buffer.append(checksum)
    }
  }

  /// Over what is kept of each chunk: it stands in the headers, which no other checksum covers.
  static func checksum(ofKept chunks: [Chunk]) -> UInt32 {
    var crc = CRC32C()
    for chunk in chunks { withUnsafeBytes(of: chunk.kept.bigEndian) { crc.update($0) } }
    return crc.value
  }

  /// The last frame of a prepared transaction's spool.
  static func encode(_ prepared: PreparedTransaction, of chunks: [Chunk], into buffer: ByteBuffer) {
    buffer.appendLittleEndian(preparedMagic)
    let gid = Array(prepared.gid.utf8)
    buffer.appendLittleEndian(UInt32(clamping: 60 + gid.count))
    let start = buffer.count
    buffer.append(version)
    buffer.append(prepared.xid.rawValue)
    buffer.append(prepared.prepareLSN.rawValue)
    buffer.append(prepared.endLSN.rawValue)
    buffer.append(UInt64(bitPattern: prepared.prepareTime.rawValue))
    buffer.append(UInt64(clamping: prepared.changes))
    buffer.append(UInt64(clamping: prepared.bytes))
    buffer.append(UInt32(clamping: gid.count))
    buffer.append(gid)
    buffer.append(checksum(ofKept: chunks))
    buffer.append(CRC32C.of(buffer.slice(start..<buffer.count)))
  }

  /// Reads the payload of that frame; nil when it is not one, or not of these chunks.
  static func decodePrepared(_ payload: [UInt8], of chunks: [Chunk]) -> PreparedTransaction? {
    guard payload.count >= 60 else { return nil }
    func number(_ offset: Int, _ size: Int) -> UInt64 {
      payload[offset..<(offset + size)].reduce(0) { $0 << 8 | UInt64($1) }
    }
    let checked = payload.withUnsafeBytes {
      CRC32C.of(UnsafeRawBufferPointer(rebasing: $0[..<($0.count - 4)]))
    }
    let length = number(48, 4)
    guard number(payload.count - 4, 4) == UInt64(checked), number(0, 4) == UInt64(version),
      length == UInt64(payload.count - 60),
      number(payload.count - 8, 4) == UInt64(checksum(ofKept: chunks)),
      let changes = Int(exactly: number(32, 8)),
      let bytes = Int(exactly: number(40, 8)),
      let gid = String(validating: payload[52..<(payload.count - 8)], as: UTF8.self)
    else { return nil }
    return PreparedTransaction(
      xid: TransactionID(rawValue: UInt32(truncatingIfNeeded: number(4, 4))), gid: gid,
      prepareLSN: LSN(rawValue: number(8, 8)), endLSN: LSN(rawValue: number(16, 8)),
      prepareTime: Timestamp(rawValue: Int64(bitPattern: number(24, 8))), changes: changes, bytes: bytes)
  }

  /// `0000A1B2`.
  static func name(_ xid: TransactionID) -> String { hex(UInt64(xid.rawValue), 8) }

  static func hex(_ value: UInt64, _ width: Int) -> String {
    let digits = String(value, radix: 16, uppercase: true)
    return String(repeating: "0", count: max(0, width - digits.count)) + digits
  }
}
