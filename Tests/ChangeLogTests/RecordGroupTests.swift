import PGOutput
import Testing

@testable import ChangeLog

@Suite("Groups of records")
struct RecordGroupTests {
  @Test("a message outside transactions may start just where the last commit ended")
  func adjacentMessage() {
    let group = RecordGroup()
    group.addTransaction(end: 0x2000, changes: 1, relation: nil)
    group.add(Payload.message(lsn: 0x2000, transactional: false))
    #expect(group.account.defect == nil)
    #expect(group.lastCommitEnd == LSN(rawValue: 0x2001))
  }

  @Test("a group keeps account of what is appended to it")
  func account() {
    let group = RecordGroup(capacity: 10)
    #expect(group.isEmpty)
    group.addTransaction(end: 0x2000, changes: 3, relation: 16384)
    group.add(Payload.message(lsn: 0x2800, transactional: false))
    group.add(Payload.begin(finalLSN: 0x2FF8))
    group.add(Payload.message(lsn: 0x2900, transactional: true))
    #expect(group.recordCount == 9)
    #expect(group.transactions == 1)
    #expect(group.changes == 5)
    #expect(group.firstCommitEnd == LSN(rawValue: 0x2000))
    #expect(group.lastCommitEnd == LSN(rawValue: 0x2801))
    #expect(!group.beginsInsideTransaction)
    #expect(group.endsInsideTransaction)
    #expect(group.containsRelations)
    #expect(group.byteCount == group.contents.count)
    group.removeAll()
    #expect(group.isEmpty)
    #expect(group.byteCount == 0)
    #expect(group.lastCommitEnd == nil)
    #expect(!group.endsInsideTransaction)
  }

  @Test(
    "a group's first record tells whether it goes on with a transaction",
    arguments: [
      (Payload.insert(1, text: [1]), true), (Payload.commit(lsn: 1, end: 2), true),
      (Payload.begin(finalLSN: 1), false), (Payload.message(lsn: 1, transactional: true), true),
      (Payload.message(lsn: 1, transactional: false), false), (Payload.relation(1), false),
    ])
  func opening(payload: [UInt8], inside: Bool) {
    let group = RecordGroup()
    group.add(payload)
    #expect(group.beginsInsideTransaction == inside)
  }

  @Test("records are walked as they were appended, and a cut one is an error with its offset")
  func iteration() throws {
    let group = RecordGroup()
    let payloads = [Payload.begin(finalLSN: 9), Payload.insert(1, text: []), Payload.commit(lsn: 9, end: 17)]
    for (number, payload) in payloads.enumerated() { group.add(payload, walStart: UInt64(number)) }
    let bytes = group.contents
    for length in 0...bytes.count {
      try bytes[..<length].withUnsafeBytes { bytes in
        var records = LogRecordIterator(bytes)
        var seen = 0
        do throws(ChangeLogError) {
          while let record = try records.next() {
            #expect([UInt8](record.payload) == payloads[seen])
            #expect(record.walStart == UInt64(seen))
            seen += 1
          }
          #expect(records.offset == length)
        } catch {
          guard case .malformedRecord(records.offset, _) = error else { throw error }
          #expect(length < group.byteCount)
        }
      }
    }
  }
}

@Suite("What a writer refuses")
struct RefusalTests {
  static func group(_ payloads: [UInt8]...) -> RecordGroup {
    let group = RecordGroup()
    for payload in payloads { group.add(payload) }
    return group
  }

  @Test(
    "records that cannot stand where they stand",
    arguments: [
      (group([]), "the payload is empty"),
      (group(Payload.begin(finalLSN: 1), [UInt8(ascii: "C"), 0]), "a Commit shorter than 26 bytes"),
      (group([UInt8(ascii: "M"), 0]), "a Message shorter than 10 bytes"),
      (group(Payload.begin(finalLSN: 1), Payload.begin(finalLSN: 2)), "a Begin inside a transaction"),
      (
        group(
          Payload.begin(finalLSN: 1), Payload.commit(lsn: 1, end: 0x2000), Payload.commit(lsn: 1, end: 0x3000)
        ),
        "a Commit without its Begin"
      ),
      (
        group(
          Payload.begin(finalLSN: 1), Payload.commit(lsn: 1, end: 0x2000), Payload.begin(finalLSN: 1),
          Payload.commit(lsn: 1, end: 0x2000)), "a commit that ends no later than the one before it"
      ),
    ])
  func malformed(group: RecordGroup, reason: String) throws {
    let directory = try TemporaryDirectory()
    let writer = try directory.open()
    let error = #expect(throws: ChangeLogError.self) { try writer.append(group) }
    guard case .malformedRecord(_, reason)? = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    // Nothing of it is kept, and the writer goes on.
    try writer.append(Self.group(Payload.begin(finalLSN: 1), Payload.commit(lsn: 1, end: 0x2000)))
    #expect(try writer.sync() == LSN(rawValue: 0x2000))
  }

  @Test("a group that does not continue the log")
  func outOfStep() throws {
    let directory = try TemporaryDirectory()
    let writer = try directory.open()
    func expectOutOfStep(_ body: () throws -> Void) {
      let error = #expect(throws: ChangeLogError.self) { try body() }
      guard case .outOfStep? = error else {
        Issue.record("\(String(describing: error))")
        return
      }
    }
    expectOutOfStep { try writer.append(Self.group(Payload.insert(1, text: []))) }
    try writer.append(Self.group(Payload.begin(finalLSN: 0x1FF8)))
    expectOutOfStep { try writer.append(Self.group(Payload.begin(finalLSN: 0x1FF8))) }
    expectOutOfStep { try writer.mark(watermark: LSN(rawValue: 0x1800)) }
    try writer.append(Self.group(Payload.relation(1)))
    #expect(writer.isInsideTransaction)
    try writer.append(Self.group(Payload.commit(lsn: 0x1FF8, end: 0x2000)))
    try writer.mark(watermark: LSN(rawValue: 0x2800))
    let again = Self.group(Payload.begin(finalLSN: 0x27F8), Payload.commit(lsn: 0x27F8, end: 0x2800))
    #expect(throws: ChangeLogError.notAdvancing(given: LSN(rawValue: 0x2800), held: LSN(rawValue: 0x2800))) {
      try writer.append(again)
    }
    // A watermark that goes back says nothing new.
    let size = writer.current.offset
    try writer.mark(watermark: LSN(rawValue: 0x2000))
    #expect(writer.current.offset == size)
  }
}

@Suite("LZ4 frames")
struct FrameCodecTests {
  @Test(
    "groups of every size come back, also a record of many blocks",
    arguments: [1, 100, 70_000, 300_000, 5 << 20])
  func sizes(size: Int) throws {
    let directory = try TemporaryDirectory()
    let writer = try directory.open()
    let group = RecordGroup(capacity: 64)
    group.add(Payload.begin(finalLSN: 0x1FF8))
    group.add(Payload.insert(1, text: [UInt8](repeating: 7, count: size / 2) + RecordGroup.text(9, size / 2)))
    group.add(Payload.commit(lsn: 0x1FF8, end: 0x2000))
    try writer.append(group)
    try writer.sync()
    #expect(try difference(directory.read().bytes, group.contents) == nil)
  }

  @Test("a frame with any byte changed, or cut anywhere, is an error or another content, never a trap")
  func damagedFrames() throws {
    let group = RecordGroup()
    group.addTransaction(end: 0x2000, changes: 8)
    let compressor = try FrameCompressor()
    let decompressor = try FrameDecompressor()
    var frame = [UInt8](repeating: 0, count: compressor.bound(group.byteCount))
    let length = try frame.withUnsafeMutableBytes { try compressor.compress(group.bytes, into: $0) }
    frame.removeLast(frame.count - length)
    var target = [UInt8](repeating: 0, count: group.byteCount)
    var refused = 0
    for offset in frame.indices {
      for damaged in [Array(frame[..<offset]), frame.enumerated().map { $0 == offset ? ~$1 : $1 }] {
        do {
          try damaged.withUnsafeBytes { source in
            try target.withUnsafeMutableBytes { try decompressor.decompress(source, into: $0) }
          }
        } catch { refused += 1 }
      }
    }
    // The content checksum finds everything that the format itself does not.
    #expect(refused == 2 * length)
    try frame.withUnsafeBytes { source in
      try target.withUnsafeMutableBytes { try decompressor.decompress(source, into: $0) }
    }
    #expect(target == group.contents)
  }
}
