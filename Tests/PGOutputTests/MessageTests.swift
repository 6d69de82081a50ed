import PGOutput
import Testing

/// Bytes written by hand from the tables of PostgreSQL's documentation ("Logical Replication Message Formats").
@Suite("Messages") struct MessageTests {
  struct Sample: Sendable, CustomTestStringConvertible {
    let bytes: String
    let reads: String
    var format = StreamFormat.any
    var testDescription: String { reads }
  }

  static let lsn = "00000016 B374D848"
  static let end = "00000016 B374D878"
  /// 2026-11-21 10:00:00.123456 UTC.
  static let time = "000303c5 31442a40"
  static let row = "0004 74 00000001 61 6e 75 62 00000002 00ff"

  static let samples: [Sample] = [
    Sample(
      bytes: "42 \(lsn) \(time) 000002e9",
      reads: "Begin final=16/B374D848 time=2026-11-21T10:00:00.123456Z xid=745"),
    Sample(
      bytes: "43 00 \(lsn) \(end) \(time)",
      reads: "Commit commit=16/B374D848 end=16/B374D878 time=2026-11-21T10:00:00.123456Z"),
    Sample(bytes: "4f \(lsn) 6f 6e 65 00", reads: "Origin lsn=16/B374D848 name=one"),
    Sample(
      bytes: "52 00004001 6c00 7400 66 0002 01 696400 00000014 ffffffff 00 6e00 00000413 00000018",
      reads: #"Relation id=16385 l|t full ["*id 20 -1", "n 1043 24"]"#),
    Sample(
      bytes: "52 000002e9 00004001 00 7400 64 0000", reads: "Relation xid=745 id=16385 |t default []",
      format: .any.insideStream(true)),
    Sample(bytes: "59 ffffffff 7000 6d6f6f6400", reads: "Type id=4294967295 p|mood"),
    Sample(
      bytes: "59 000002e9 00004005 7000 6d00", reads: "Type xid=745 id=16389 p|m",
      format: .any.insideStream(true)),
    Sample(
      bytes: "49 00004001 4e \(row)",
      reads: "Insert relation=16385 new=(text:a, null, unchanged, binary:00ff)"),
    Sample(
      bytes: "49 000002e9 00004001 4e 0000", reads: "Insert xid=745 relation=16385 new=()",
      format: .any.insideStream(true)),
    Sample(
      bytes: "55 00004001 4e \(row)",
      reads: "Update relation=16385 new=(text:a, null, unchanged, binary:00ff)"),
    Sample(
      bytes: "55 00004001 4b 0001 6e 4e 0001 75",
      reads: "Update relation=16385 key=(null) new=(unchanged)"),
    Sample(
      bytes: "55 000002e9 00004001 4f 0001 74 00000000 4e 0001 6e",
      reads: "Update xid=745 relation=16385 full=(text:) new=(null)", format: .any.insideStream(true)),
    Sample(bytes: "44 00004001 4b 0001 74 00000001 37", reads: "Delete relation=16385 key=(text:7)"),
    Sample(
      bytes: "44 000002e9 00004001 4f 0001 6e", reads: "Delete xid=745 relation=16385 full=(null)",
      format: .any.insideStream(true)),
    Sample(bytes: "54 00000002 03 00004001 00004002", reads: "Truncate cascade restart [16385, 16386]"),
    Sample(
      bytes: "54 000002e9 00000001 00 00004001", reads: "Truncate xid=745 [16385]",
      format: .any.insideStream(true)),
    Sample(
      bytes: "4d 01 \(lsn) 7000 00000002 00ff", reads: "Message transactional=true lsn=16/B374D848 p=00ff"),
    Sample(
      bytes: "4d 000002e9 00 \(lsn) 00 00000000",
      reads: "Message xid=745 transactional=false lsn=16/B374D848 =", format: .any.insideStream(true)),
    Sample(bytes: "53 000002e9 01", reads: "StreamStart xid=745 first=true"),
    Sample(bytes: "53 ffffffff 00", reads: "StreamStart xid=4294967295 first=false"),
    Sample(bytes: "45", reads: "StreamStop", format: .any.insideStream(true)),
    Sample(
      bytes: "63 000002e9 00 \(lsn) \(end) \(time)",
      reads:
        "StreamCommit xid=745 commit=16/B374D848 end=16/B374D878 time=2026-11-21T10:00:00.123456Z"),
    Sample(bytes: "41 000002e9 000002ea", reads: "StreamAbort xid=745 subxid=746"),
    Sample(
      bytes: "41 000002e9 000002ea \(lsn) \(time)",
      reads: "StreamAbort xid=745 subxid=746 lsn=16/B374D848 time=2026-11-21T10:00:00.123456Z"),
    Sample(
      bytes: "62 \(lsn) \(end) \(time) 000002e9 6700",
      reads:
        "BeginPrepare prepare=16/B374D848 end=16/B374D878 time=2026-11-21T10:00:00.123456Z xid=745 gid=g"),
    Sample(
      bytes: "50 00 \(lsn) \(end) \(time) 000002e9 6700",
      reads: "Prepare prepare=16/B374D848 end=16/B374D878 time=2026-11-21T10:00:00.123456Z xid=745 gid=g"),
    Sample(
      bytes: "4b 00 \(lsn) \(end) \(time) 000002e9 6700",
      reads:
        "CommitPrepared commit=16/B374D848 end=16/B374D878 time=2026-11-21T10:00:00.123456Z xid=745 gid=g"),
    Sample(
      bytes: "72 00 \(lsn) \(end) \(time) \(time) 000002e9 6700",
      reads: "RollbackPrepared prepareEnd=16/B374D848 rollbackEnd=16/B374D878 "
        + "prepared=2026-11-21T10:00:00.123456Z time=2026-11-21T10:00:00.123456Z xid=745 gid=g"),
    Sample(
      bytes: "70 00 \(lsn) \(end) \(time) 000002e9 6700",
      reads:
        "StreamPrepare prepare=16/B374D848 end=16/B374D878 time=2026-11-21T10:00:00.123456Z xid=745 gid=g"),
  ]

  @Test("every message reads its fields in wire order", arguments: samples)
  func reads(_ sample: Sample) throws {
    #expect(try dump(hex(sample.bytes), format: sample.format) == sample.reads)
  }

  @Test("every message writes the bytes it was read from", arguments: samples)
  func writes(_ sample: Sample) throws {
    let bytes = hex(sample.bytes)
    #expect(encoded(try Message(decoding: bytes.rawBytes, format: sample.format)) == bytes)
  }

  @Test("every message is among the samples")
  func complete() {
    #expect(Set(Self.samples.compactMap { hex($0.bytes).first }) == Set(MessageTag.allCases.map(\.rawValue)))
  }

  @Test("every message cut short anywhere is an error at or before the cut", arguments: samples)
  func cut(_ sample: Sample) throws {
    let bytes = hex(sample.bytes)
    // The one cut that leaves a message: an abort with its place is also one without.
    let whole = sample.bytes.hasPrefix("41") ? [9] : []
    for length in 0..<bytes.count where !whole.contains(length) {
      let error = #expect(throws: DecodeError.self) {
        try dump(Array(bytes.prefix(length)), format: sample.format)
      }
      #expect((error?.offset ?? .max) <= length)
    }
  }

  @Test("every message with a byte too many names the byte", arguments: samples)
  func long(_ sample: Sample) throws {
    let bytes = hex(sample.bytes) + [0]
    let error = #expect(throws: DecodeError.self) { try dump(bytes, format: sample.format) }
    // After a short abort, one byte is the beginning of its place.
    if bytes.count != 10 || bytes[0] != 0x41 {
      #expect(error?.problem == .trailing(count: 1))
      #expect(error?.offset == bytes.count - 1)
    }
  }

  @Test("an abort is as long as streaming says")
  func aborts() throws {
    let short = hex("41 000002e9 000002ea")
    let long = short + hex("\(Self.lsn) \(Self.time)")
    let parallel = StreamFormat(protocolVersion: .v4, abortLayout: .long)
    let on = StreamFormat(protocolVersion: .v2, abortLayout: .short)
    #expect(try dump(short, format: on) == "StreamAbort xid=745 subxid=746")
    #expect(throws: DecodeError.self) { try dump(short, format: parallel) }
    #expect(throws: DecodeError.self) { try dump(long, format: on) }
    #expect(try dump(long, format: parallel).hasSuffix("lsn=16/B374D848 time=2026-11-21T10:00:00.123456Z"))
  }

  @Test("a message younger than the protocol is refused, but an abort, which PostgreSQL 18 can send unasked")
  func versions() throws {
    for (version, refused) in [(ProtocolVersion.v1, "ESbcKPpr"), (.v2, "bKPpr"), (.v3, ""), (.v4, "")] {
      let found = try Self.samples.filter { !$0.format.isInsideStream || $0.reads == "StreamStop" }.filter {
        do throws(DecodeError) {
          _ = try dump(hex($0.bytes), format: StreamFormat(protocolVersion: version))
          return false
        } catch {
          guard case .notSpoken = error.problem else { throw error }
          return true
        }
      }
      let tags = Set(found.compactMap { hex($0.bytes).first })
      #expect(tags == Set(refused.utf8))
    }
  }
}
