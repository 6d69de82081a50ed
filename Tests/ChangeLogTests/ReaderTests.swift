import PGOutput
import Testing

@testable import ChangeLog

@Suite("Readers")
struct ReaderTests {
  /// Transactions of many shapes in many segments: the records of each, and where it ends.
  static func varied(
    _ writer: ChangeLogWriter, count: Int = 40, each: () throws -> Void = {}
  ) throws -> [(end: LSN, records: [UInt8])] {
    var transactions: [(end: LSN, records: [UInt8])] = []
    let group = RecordGroup()
    for step in 0..<count {
      let end = 0x2000 + UInt64(step) * 0x1000
      let one = RecordGroup()
      switch step % 5 {
      // A message's record starts at its LSN: it ends past it.
      case 3: one.add(Payload.message(lsn: end - 1, transactional: false), walStart: end - 1)
      case 4:
        one.add(Payload.begin(finalLSN: end - 8))
        one.add(Payload.type(90_000 + UInt32(step)))
        one.add(Payload.relation(90_000 + UInt32(step)))
        for part in 0..<6 { one.add(Payload.insert(1, text: RecordGroup.text(UInt64(part) + end, 60))) }
        one.add(Payload.commit(lsn: end - 8, end: end))
      default: one.addTransaction(end: end, changes: step % 3 + 1, relation: step % 7 == 0 ? 16384 : nil)
      }
      transactions.append((LSN(rawValue: end), one.contents))
      // Groups are cut anywhere: also in the middle of transactions.
      try one.withUnsafeBytes { bytes in
        var records = LogRecordIterator(bytes)
        while let record = try records.next() {
          group.append(walStart: record.walStart, payload: record.payload)
          if group.recordCount == 7 {
            try writer.append(group)
            try writer.sync()
            try each()
            group.removeAll()
          }
        }
      }
    }
    try writer.append(group)
    try writer.sync()
    return transactions
  }

  /// Found by `make fuzz ONLY=damage`: the reader turned around in it for ever.
  @Test("a tail torn inside a transaction is nothing yet, however often one looks", .timeLimit(.minutes(1)))
  func tornInside() throws {
    let directory = try TemporaryDirectory()
    let group = RecordGroup()
    var expected: [UInt8] = []
    do {
      let writer = try directory.open()
      group.addTransaction(end: 0x2000)
      expected = group.contents
      try writer.append(group)
      group.removeAll()
      group.add(Payload.begin(finalLSN: 0x2FF8))
      group.add(Payload.insert(1, text: RecordGroup.text(1, 30)))
      try writer.append(group)
      group.removeAll()
      group.add(Payload.insert(1, text: RecordGroup.text(2, 30)))
      try writer.append(group)
    }
    let name = try #require(directory.segments.first)
    let whole = try directory.contents(name)
    for torn in [Array(whole.dropLast(5)), whole.dropLast(40) + [UInt8](repeating: 0, count: 40)] {
      try directory.write(torn, to: name)
      let reader = try LogReader(directory: directory.path, after: .exampleStart)
      for _ in 0..<5 {
        let read = try drain(reader)
        #expect(read.bytes == expected || read.bytes.isEmpty)
        #expect(reader.position == LSN(rawValue: 0x2000))
      }
    }
  }

  @Test("from every position a reader gets exactly what comes after it", arguments: [false, true])
  func everyPosition(throughTail: Bool) throws {
    let directory = try TemporaryDirectory()
    let tail = LogTail()
    let writer = try directory.open(segmentBytes: 1500, tail: tail)
    let transactions = try Self.varied(writer)
    #expect(directory.segments.count > 2)
    for first in 0...transactions.count {
      let after = first == 0 ? .exampleStart : transactions[first - 1].end
      let reader = try LogReader(directory: directory.path, after: after, tail: throughTail ? tail : nil)
      let read = try drain(reader)
      #expect(difference(read.bytes, transactions[first...].flatMap(\.records)) == nil, "after \(after)")
      #expect(reader.position == transactions.last?.end)
    }
  }

  @Test("relations known before the position come first, each once, in its latest form")
  func relationsFirst() throws {
    let directory = try TemporaryDirectory()
    let writer = try directory.open(segmentBytes: 600)
    let group = RecordGroup()
    let names = ["first", "second", "third", "fourth", "fifth", "sixth"]
    for (step, name) in names.enumerated() {
      let end = 0x2000 + UInt64(step) * 0x100
      group.removeAll()
      group.add(Payload.begin(finalLSN: end - 8))
      group.add(Payload.relation(7, name: name))
      if step == 1 { group.add(Payload.type(70_000)) }
      group.add(Payload.insert(7, text: RecordGroup.text(end, 150)))
      group.add(Payload.commit(lsn: end - 8, end: end))
      try writer.append(group)
      try writer.sync()
    }
    #expect(directory.segments.count > 1)
    for step in 1..<names.count {
      let after = LSN(rawValue: 0x2000 + UInt64(step - 1) * 0x100)
      let reader = try LogReader(directory: directory.path, after: after)
      let chunk = try #require(try reader.next(timeout: .zero))
      #expect(chunk.isRelations)
      let expected = RecordGroup()
      if step >= 2 { expected.add(Payload.type(70_000)) }
      expected.add(Payload.relation(7, name: names[step - 1]))
      #expect(chunk.withUnsafeBytes { [UInt8]($0) } == expected.contents, "after \(after)")
      #expect(try reader.next(timeout: .zero)?.isRelations == false)
    }
  }

  @Test("a chunk that is trimmed counts what is left in it")
  func trimmedCounts() throws {
    let directory = try TemporaryDirectory()
    let writer = try directory.open()
    let group = RecordGroup()
    group.addTransaction(end: 0x2000, changes: 3)
    group.addTransaction(end: 0x3000, changes: 2)
    group.addTransaction(end: 0x4000, changes: 1)
    try writer.append(group)
    try writer.sync()
    let reader = try LogReader(directory: directory.path, after: LSN(rawValue: 0x2000))
    let chunk = try #require(try reader.next(timeout: .zero))
    #expect(chunk.changes == 3)
    #expect(chunk.transactions == 2)
    #expect(chunk.lastCommitEnd == LSN(rawValue: 0x4000))
  }

  @Test("positions that are not held are refused, naming what is")
  func notHeld() throws {
    let directory = try TemporaryDirectory()
    #expect(throws: ChangeLogError.noLog(directory: directory.path)) {
      try LogReader(directory: directory.path, after: .exampleStart)
    }
    let writer = try directory.open()
    let group = RecordGroup()
    group.addTransaction(end: 0x2000)
    try writer.append(group)
    try writer.sync()
    #expect(throws: ChangeLogError.pruned(asked: LSN(rawValue: 0xFFF), firstHeld: .exampleStart)) {
      try LogReader(directory: directory.path, after: LSN(rawValue: 0xFFF))
    }
    #expect(throws: ChangeLogError.aheadOfLog(asked: LSN(rawValue: 0x2001), end: LSN(rawValue: 0x2000))) {
      try LogReader(directory: directory.path, after: LSN(rawValue: 0x2001))
    }
    try writer.mark(watermark: LSN(rawValue: 0x2001))
    try writer.sync()
    #expect(try drain(LogReader(directory: directory.path, after: LSN(rawValue: 0x2001))).bytes.isEmpty)
  }

  @Test("a reader that meets damage says where, and gives nothing of the frame")
  func damage() throws {
    let directory = try TemporaryDirectory()
    let writer = try directory.open()
    let group = RecordGroup()
    group.addTransaction(end: 0x2000)
    try writer.append(group)
    let second = writer.current.offset
    group.removeAll()
    group.addTransaction(end: 0x3000)
    try writer.append(group)
    try writer.sync()
    var bytes = try directory.contents(directory.segments[0])
    bytes[bytes.count - 10] ^= 1
    try directory.write(bytes, to: directory.segments[0])
    let reader = try LogReader(directory: directory.path, after: .exampleStart)
    #expect(try reader.next(timeout: .zero)?.lastCommitEnd == LSN(rawValue: 0x2000))
    let error = #expect(throws: ChangeLogError.self) { try reader.next(timeout: .zero) }
    guard case .damaged(_, second, _)? = error else {
      Issue.record("\(String(describing: error))")
      return
    }
  }

  @Test("without a tail a reader follows the files, across segments and discarded transactions")
  func followsFiles() throws {
    let directory = try TemporaryDirectory()
    let writer = try directory.open(segmentBytes: 900)
    let reader = try LogReader(directory: directory.path, after: .exampleStart)
    var got: [UInt8] = []
    var expected: [UInt8] = []
    let group = RecordGroup()
    for step in 0..<60 {
      let end = 0x2000 + UInt64(step) * 0x1000
      group.removeAll()
      group.add(Payload.begin(finalLSN: end - 8))
      group.add(Payload.insert(1, text: RecordGroup.text(end, step * 3)))
      let lost = group.contents
      try writer.append(group)
      got += try drain(reader).bytes
      #expect(difference(got, expected) == nil)
      let again = step % 3 == 0
      if again {
        try writer.discardPartialTransaction()
        group.removeAll()
        group.addTransaction(end: end, changes: step % 4 + 1)
        expected += group.contents
      } else {
        group.removeAll()
        group.add(Payload.commit(lsn: end - 8, end: end))
        expected += lost + group.contents
      }
      try writer.append(group)
      try writer.sync()
      got += try drain(reader).bytes
      #expect(difference(got, expected) == nil)
    }
    #expect(directory.segments.count > 3)
  }

  @Test("a commit that starts exactly where the one before ended is read after it, and not again")
  func adjacentCommits() throws {
    let directory = try TemporaryDirectory()
    let writer = try directory.open()
    let group = RecordGroup()
    var whole: [[UInt8]] = []
    for end: UInt64 in [0x2000, 0x2008, 0x2010] {
      let one = RecordGroup()
      one.addTransaction(end: end)
      whole.append(one.contents)
      group.addTransaction(end: end)
    }
    try writer.append(group)
    try writer.sync()
    for (handled, end) in [UInt64(0x1000), 0x2000, 0x2008, 0x2010].enumerated() {
      let read = try directory.read(after: LSN(rawValue: end))
      #expect(difference(read.bytes, whole[handled...].flatMap(\.self)) == nil)
    }
  }

  @Test("the position follows what was delivered, not what was read")
  func position() throws {
    let directory = try TemporaryDirectory()
    let writer = try directory.open()
    let group = RecordGroup()
    group.addTransaction(end: 0x2000, relation: 16384)
    try writer.append(group)
    group.removeAll()
    group.addTransaction(end: 0x3000)
    try writer.append(group)
    try writer.sync()
    let reader = try LogReader(directory: directory.path, after: LSN(rawValue: 0x2000))
    #expect(try reader.next(timeout: .zero)?.isRelations == true)
    #expect(reader.position == LSN(rawValue: 0x2000))
    #expect(try reader.next(timeout: .zero)?.lastCommitEnd == LSN(rawValue: 0x3000))
    #expect(reader.position == LSN(rawValue: 0x3000))
  }

  @Test("a reader of another process goes on when an empty segment is replaced after a promotion")
  func replacedSegment() throws {
    let directory = try TemporaryDirectory()
    _ = try directory.open()
    let reader = try LogReader(directory: directory.path, after: .exampleStart)
    #expect(try reader.next(timeout: .zero) == nil)
    var promoted = OriginIdentity.example
    promoted.timeline = 2
    let writer = try ChangeLogWriter.open(directory: directory.path, origin: promoted, start: .exampleStart)
    let group = RecordGroup()
    group.addTransaction(end: 0x2000)
    try writer.append(group)
    try writer.sync()
    let chunk = try reader.next(timeout: .seconds(10))
    #expect(chunk?.lastCommitEnd == LSN(rawValue: 0x2000))
  }
}
