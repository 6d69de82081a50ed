import PGOutput
import Testing

@testable import ChangeLog

/// The bytes of `docs/change-log-format.md`, field by field in the order of its tables.
@Suite("Golden bytes")
struct GoldenTests {
  static func bytes(_ buffer: ByteBuffer) -> [UInt8] { (0..<buffer.count).map { buffer.bytes[$0] } }

  static func hex(_ text: String) -> [UInt8] {
    let digits = text.utf8.filter { $0 != 32 && $0 != 10 }
    return stride(from: 0, to: digits.count, by: 2).compactMap {
      UInt8(String(decoding: digits[$0..<$0 + 2], as: UTF8.self), radix: 16)
    }
  }

  static func crc(_ bytes: some Sequence<UInt8>) -> [UInt8] {
    Payload.big(Array(bytes).withUnsafeBytes { CRC32C.of($0) })
  }

  @Test("CRC-32C of the check string is that of the catalogue, at any split")
  func checksum() {
    let check = Array("123456789".utf8)
    #expect(check.withUnsafeBytes { CRC32C.of($0) } == 0xE306_9283)
    // RFC 3720, B.4: 32 zeros, 32 bytes of 0xFF, 0 to 31.
    #expect([UInt8](repeating: 0, count: 32).withUnsafeBytes { CRC32C.of($0) } == 0x8A91_36AA)
    #expect([UInt8](repeating: 255, count: 32).withUnsafeBytes { CRC32C.of($0) } == 0x62A8_AB43)
    let ascending = [UInt8](0..<32)
    for split in 0...32 {
      var crc = CRC32C()
      ascending[..<split].withUnsafeBytes { crc.update($0) }
      ascending[split...].withUnsafeBytes { crc.update($0) }
      #expect(crc.value == 0x46DD_794E)
    }
  }

  @Test("header frame")
  func header() throws {
    let header = SegmentHeader(
      origin: .example, start: LSN(rawValue: 0x0000_0016_B374_D848),
      previous: SegmentDigest(bytes: [UInt8](0..<32)))
    let payload = Self.hex(
      """
      58 46 41 44 45 4C 4F 47
      00 00 00 01
      00 00 00 00
      00 00 00 16 B3 74 D8 48
      01 02 03 04 05 06 07 08
      00 00 00 01
      00 00 3E 80
      00 00 00 00 00 00 10 00
      00 01 02 03 04 05 06 07 08 09 0A 0B 0C 0D 0E 0F 10 11 12 13 14 15 16 17 18 19 1A 1B 1C 1D 1E 1F
      00 09
      63 72 6F 73 73 66 61 64 65
      """)
    let expected = Self.hex("51 2A 4D 18 5F 00 00 00") + payload + Self.crc(payload)
    let buffer = ByteBuffer(capacity: 64)
    header.encode(into: buffer)
    #expect(Self.bytes(buffer) == expected)
    #expect(buffer.count == header.frameSize)
    #expect(try SegmentHeader(decoding: buffer.bytes, file: "") == header)
  }

  @Test("announcement frame")
  func announcement() throws {
    var announcement = Announcement()
    announcement.storedLength = 0x0102
    announcement.uncompressedLength = 0x0304
    announcement.firstCommitEnd = LSN(rawValue: 0x1_0000_0010)
    announcement.lastCommitEnd = LSN(rawValue: 0x1_0000_0020)
    announcement.watermark = LSN(rawValue: 0x1_0000_0030)
    announcement.durableOffset = 0x77
    announcement.records = 5
    announcement.transactions = 2
    announcement.changes = 3
    announcement.flags = [.relations, .endsInside]
    announcement.dataChecksum = 0xCAFE_BABE
    let payload = Self.hex(
      """
      00 00 01 02
      00 00 03 04
      00 00 00 01 00 00 00 10
      00 00 00 01 00 00 00 20
      00 00 00 01 00 00 00 30
      00 00 00 00 00 00 00 77
      00 00 00 05
      00 00 00 02
      00 00 00 03
      00 00 00 05
      CA FE BA BE
      """)
    let expected = Self.hex("52 2A 4D 18 40 00 00 00") + payload + Self.crc(payload)
    let buffer = ByteBuffer(capacity: 128)
    announcement.encode(to: buffer.base)
    buffer.count = Announcement.frameSize
    #expect(Self.bytes(buffer) == expected)
    #expect(Announcement(decoding: buffer.bytes) == announcement)
    #expect(Announcement.Flags.relations.rawValue == 1)
    #expect(Announcement.Flags.beginsInside.rawValue == 2)
    #expect(Announcement.Flags.endsInside.rawValue == 4)
    #expect(Announcement.Flags.repeated.rawValue == 8)
  }

  @Test("an announcement that claims more than LZ4 or PostgreSQL can do is refused")
  func announcementLimits() {
    for (stored, uncompressed) in [(1, 256), (UInt32.max, UInt32(LogFormat.groupLimit) + 1), (0, 1)] {
      var announcement = Announcement()
      announcement.storedLength = stored
      announcement.uncompressedLength = uncompressed
      let buffer = ByteBuffer(capacity: 128)
      announcement.encode(to: buffer.base)
      buffer.count = Announcement.frameSize
      #expect(Announcement(decoding: buffer.bytes) == nil)
    }
  }

  @Test("index frame")
  func index() throws {
    var index = SegmentIndex(
      start: LSN(rawValue: 0x10), end: LSN(rawValue: 0x20), watermark: LSN(rawValue: 0x30))
    index.counts = LogCounts(transactions: 1, changes: 2, records: 3, uncompressedBytes: 4)
    index.bodyLength = 0x1234
    index.digest = SegmentDigest(bytes: [UInt8](repeating: 0xAB, count: 32))
    index.entries = [SegmentIndex.Entry(position: LSN(rawValue: 0x18), offset: 0x99)]
    index.relationOffsets = [0x66, 0x88]
    let payload = Self.hex(
      """
      58 46 41 44 45 49 44 58
      00 00 00 00 00 00 00 10
      00 00 00 00 00 00 00 20
      00 00 00 00 00 00 00 30
      00 00 00 00 00 00 00 01
      00 00 00 00 00 00 00 02
      00 00 00 00 00 00 00 03
      00 00 00 00 00 00 00 04
      00 00 00 00 00 00 12 34
      AB AB AB AB AB AB AB AB AB AB AB AB AB AB AB AB AB AB AB AB AB AB AB AB AB AB AB AB AB AB AB AB
      00 00 00 01
      00 00 00 02
      00 00 00 00 00 00 00 18 00 00 00 00 00 00 00 99
      00 00 00 00 00 00 00 66 00 00 00 00 00 00 00 88
      00 00 00 A0
      """)
    let expected = Self.hex("53 2A 4D 18 98 00 00 00") + payload + Self.crc(payload)
    let buffer = ByteBuffer(capacity: 64)
    index.encode(into: buffer)
    #expect(Self.bytes(buffer) == expected)
    #expect(buffer.count == index.frameSize)
    #expect(SegmentIndex(decoding: buffer.bytes) == index)
  }

  @Test("a whole segment: header, a group of one transaction, a watermark")
  func segment() throws {
    let directory = try TemporaryDirectory()
    let writer = try directory.open()
    let group = RecordGroup()
    group.add(Payload.begin(finalLSN: 0x1FF8), walStart: 0x1F00)
    group.add(Payload.commit(lsn: 0x1FF8, end: 0x2000), walStart: 0x2000)
    try writer.append(group)
    try writer.sync()
    try writer.mark(watermark: LSN(rawValue: 0x2100))
    try writer.sync()
    let records = Self.hex(
      """
      00 00 00 15 00 00 00 00 00 00 1F 00 42 00 00 00 00 00 00 1F F8 00 00 00 00 00 00 00 00 00 00 00 07
      00 00 00 1A 00 00 00 00 00 00 20 00 43 00 00 00 00 00 00 00 1F F8 00 00 00 00 00 00 20 00
      00 00 00 00 00 00 00 00
      """)
    #expect(group.contents == records)
    let bytes = try directory.contents("0000000000001000.lz4")
    let header = SegmentHeader(origin: .example, start: .exampleStart, previous: .none).frameSize
    #expect(header == 103)
    let data = Array(bytes[(header + 72)..<(bytes.count - 72)])
    // LZ4's magic; independent blocks, content size and checksum (0x6C); blocks of 64 KiB (0x40); 71 bytes.
    #expect(Array(data[..<14]) == Self.hex("04 22 4D 18 6C 40 47 00 00 00 00 00 00 00"))
    let announced =
      Payload.big(UInt32(data.count))
      + Self.hex(
        """
        00 00 00 47
        00 00 00 00 00 00 20 00 00 00 00 00 00 00 20 00 00 00 00 00 00 00 20 00
        00 00 00 00 00 00 00 67
        00 00 00 02 00 00 00 01 00 00 00 00 00 00 00 00
        """) + Self.crc(data)
    #expect(
      Array(bytes[header..<(header + 72)]) == Self.hex("52 2A 4D 18 40 00 00 00") + announced
        + Self.crc(announced))
    let marked =
      Self.hex(
        """
        00 00 00 00 00 00 00 00
        00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 21 00
        """) + Payload.big(UInt64(bytes.count - 72))
      + [UInt8](repeating: 0, count: 20)
    #expect(
      Array(bytes[(bytes.count - 72)...]) == Self.hex("52 2A 4D 18 40 00 00 00") + marked + Self.crc(marked))
  }
}
