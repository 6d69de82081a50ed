import PGOutput

@testable import ChangeLog

/// What of a segment's bytes is covered by checksums, read a second time from docs/change-log-format.md: frame after
/// frame, up to the first that is not sound.
struct CoveredRecords {
  /// The records of all sound data frames in their order, repeated relations left out.
  private(set) var records: [UInt8] = []
  /// Whose changes they are; nil without a sound header.
  private(set) var origin: OriginIdentity?

  init(of file: [UInt8]) {
    guard let header = Self.frame(file, at: 0), header.magic == 0x184D_2A51, header.payload.count >= 86,
      Array(header.payload.prefix(8)) == Array("XFADELOG".utf8), Self.number(header.payload, 8, 4) == 1,
      Self.number(header.payload, header.payload.count - 4, 4)
        == UInt64(Self.crc(header.payload.dropLast(4))),
      Self.number(header.payload, 80, 2) == UInt64(header.payload.count - 86)
    else { return }
    let body = header.payload
    let name = body[(body.startIndex + 82)..<(body.endIndex - 4)]
    origin = OriginIdentity(
      systemIdentifier: Self.number(body, 24, 8), timeline: UInt32(Self.number(body, 32, 4)),
      databaseOID: UInt32(Self.number(body, 36, 4)), slot: String(decoding: name, as: UTF8.self),
      creationPoint: LSN(rawValue: Self.number(body, 40, 8)))
    var at = 8 + body.count
    while let frame = Self.frame(file, at: at), frame.magic == 0x184D_2A52, frame.payload.count == 64,
      Self.number(frame.payload, 60, 4) == UInt64(Self.crc(frame.payload.dropLast(4)))
    {
      at += 72
      let stored = Int(Self.number(frame.payload, 0, 4))
      guard stored <= file.count - at else { return }
      let data = file[at..<at + stored]
      at += stored
      guard stored > 0 else { continue }
      let length = Int(Self.number(frame.payload, 4, 4))
      guard Self.number(frame.payload, 56, 4) == UInt64(Self.crc(data)), length <= stored * 255 else {
        return
      }
      // A reader need not look into a frame whose announcement says that it completes nothing it was asked for.
      guard let bytes = Self.decompressed(Array(data), length) else { continue }
      if Self.number(frame.payload, 52, 4) & 8 == 0 { records += bytes }
    }
  }

  static func frame(_ file: [UInt8], at offset: Int) -> (magic: UInt32, payload: ArraySlice<UInt8>)? {
    guard offset >= 0, file.count - offset >= 8 else { return nil }
    func word(_ at: Int) -> UInt32 { (0..<4).reduce(0) { $0 | UInt32(file[at + $1]) << (8 * UInt32($1)) } }
    let length = Int(word(offset + 4))
    guard file.count - offset - 8 >= length else { return nil }
    return (word(offset), file[(offset + 8)..<(offset + 8 + length)])
  }

  static func number(_ bytes: ArraySlice<UInt8>, _ offset: Int, _ count: Int) -> UInt64 {
    bytes.dropFirst(offset).prefix(count).reduce(0) { $0 << 8 | UInt64($1) }
  }

  /// CRC-32C, bit by bit.
  static func crc(_ bytes: some Sequence<UInt8>) -> UInt32 {
    var crc = ~UInt32(0)
    for byte in bytes {
      crc ^= UInt32(byte)
      for _ in 0..<8 { crc = crc & 1 == 0 ? crc >> 1 : crc >> 1 ^ 0x82F6_3B78 }
    }
    return ~crc
  }

  private static func decompressed(_ data: [UInt8], _ length: Int) -> [UInt8]? {
    guard let decompressor = try? FrameDecompressor() else { return nil }
    var bytes = [UInt8](repeating: 0, count: length)
    do throws(ChangeLogError) {
      try data.lend { (source) throws(ChangeLogError) in
        try bytes.lendMutable { (target) throws(ChangeLogError) in
          try decompressor.decompress(source, into: target)
        }
      }
      return bytes
    } catch { return nil }
  }
}

/// Puts right every checksum on the way, so that what lies behind them is reached too.
enum MendedChecksums {
  static func mend(_ file: inout [UInt8]) {
    var at = 0
    while let frame = CoveredRecords.frame(file, at: at) {
      let length = frame.payload.count
      guard length >= 4, [0x184D_2A51, 0x184D_2A52, 0x184D_2A53].contains(frame.magic) else { return }
      var end = at + 8 + length
      if frame.magic == 0x184D_2A52, length == 64 {
        let stored = Int(CoveredRecords.number(frame.payload, 0, 4))
        guard file.count - end >= stored else { return }
        put(CoveredRecords.crc(file[end..<end + stored]), in: &file, at: end - 8)
        end += stored
      }
      let sum = at + 8 + length - 4
      put(CoveredRecords.crc(file[(at + 8)..<sum]), in: &file, at: sum)
      at = end
    }
  }

  private static func put(_ value: UInt32, in file: inout [UInt8], at offset: Int) {
    for index in 0..<4 { file[offset + index] = UInt8(truncatingIfNeeded: value >> (24 - 8 * UInt32(index))) }
  }
}
