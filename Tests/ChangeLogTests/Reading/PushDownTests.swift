import PGOutput
import Testing

@testable import ChangeLog

@Suite("What a reader leaves unread", .timeLimit(.minutes(1)))
struct PushDownTests {
  /// A transaction of many frames, then one that is small.
  private func large(_ directory: TemporaryDirectory, frames: Int, rows: Int) throws -> [LSN] {
    let writer = try directory.open()
    var records = LedgerRecords(after: .exampleStart)
    var ends = [
      try records.transaction(xid: 1) { ledger in
        ledger.describe(LedgerRecords.transactions)
        try ledger.insert(0, "AUTH")
      }
    ]
    try writer.append(records)
    records.begin(xid: 2)
    for frame in 0..<frames {
      if frame == frames / 2 { records.describe(LedgerRecords.audit) }
      for row in 0..<rows { try records.insert(frame * rows + row, "CAPTURED") }
      if frame >= frames / 2 { try records.insert(frame, "x", in: LedgerRecords.audit) }
      try writer.append(records)
    }
    ends.append(records.commit())
    try writer.append(records)
    ends.append(
      try records.transaction(xid: 3) { ledger in try ledger.insert(1, "y", in: LedgerRecords.audit) })
    try writer.append(records)
    return ends
  }

  /// Destroys the data of every frame whose announcement says so: who reads one of them meets the damage.
  private func spoil(_ directory: TemporaryDirectory, where isSpoiled: (Int, Announcement) -> Bool) throws
    -> Int
  {
    let name = try #require(directory.segments.first)
    let file = try LogFile(path: "\(directory.path)/\(name)", mode: .write)
    var scanner = try SegmentScanner(file: file, from: UInt64(SegmentScanner.header(of: file).frameSize))
    var (number, spoiled) = (0, 0)
    while true {
      let at = scanner.offset
      guard case .data(let announcement) = try scanner.next(verify: false) else { return spoiled }
      if isSpoiled(number, announcement) {
        let zeros = [UInt8](repeating: 0, count: 8)
        try zeros.withUnsafeBytes { try file.write($0, at: at + UInt64(Announcement.frameSize) + 20) }
        spoiled += 1
      }
      number += 1
    }
  }

  @Test("a transaction of many frames is walked change by change, its end known before")
  func walked() async throws {
    let directory = try TemporaryDirectory()
    let ends = try large(directory, frames: 20, rows: 50)
    var sequence = LogSource(directory: directory.path).transactions(follow: false).makeAsyncIterator()
    _ = try await sequence.next()
    let transaction = try #require(try await sequence.next())
    #expect(transaction.head.end == ends[1])
    var ordinals = 0
    try transaction.forEachChange { change throws(ChangeLogError) in
      #expect(change.ordinal == UInt64(ordinals))
      ordinals += 1
    }
    #expect(ordinals == 20 * 50 + 10)
    #expect(try await sequence.next()?.head.end == ends[2])
  }

  @Test("the inner frames of a transaction that is not walked are not unpacked, but for those that describe")
  func passed() async throws {
    let directory = try TemporaryDirectory()
    let ends = try large(directory, frames: 20, rows: 50)
    let inner: Announcement.Flags = [.beginsInside, .endsInside]
    let spoiled = try spoil(directory) { _, frame in
      frame.flags.contains(inner) && !frame.flags.contains(.relations)
    }
    #expect(spoiled == 18)
    var heads: [LSN] = []
    for try await transaction in LogSource(directory: directory.path).transactions(follow: false) {
      heads.append(transaction.head.end)
    }
    #expect(heads == ends)
    await #expect(throws: ChangeLogError.self) {
      for try await _ in LogSource(directory: directory.path).changes(follow: false) {}
    }
  }

  @Test(
    "frames before the first description of the tables wanted are not unpacked; changes keep their numbers")
  func undescribed() async throws {
    let directory = try TemporaryDirectory()
    let ends = try large(directory, frames: 20, rows: 50)
    let inner: Announcement.Flags = [.beginsInside, .endsInside]
    #expect(try spoil(directory) { number, frame in frame.flags.contains(inner) && number < 11 } == 9)
    var positions: [Position] = []
    for try await change in LogSource(directory: directory.path).changes(
      tables: ["public.ledger_audit"], follow: false)
    {
      positions.append(change.position)
    }
    var expected: [Position] = []
    for frame in 10..<20 {
      let ordinal = (frame + 1) * 50 + frame - 10
      expected.append(Position(endLSN: ends[1], ordinal: UInt64(ordinal)))
    }
    #expect(positions == expected + [Position(endLSN: ends[2], ordinal: 0)])
  }

  @Test("what precedes a position is not unpacked: the descriptions it holds are known all the same")
  func before() async throws {
    let directory = try TemporaryDirectory()
    let ends = try large(directory, frames: 20, rows: 50)
    _ = try spoil(directory) { _, frame in
      frame.flags.contains(.beginsInside) && !frame.flags.contains(.relations)
    }
    var names: [String] = []
    for try await change in LogSource(directory: directory.path).changes(
      after: Position(endLSN: ends[1]), follow: false)
    {
      names.append(change.relation?.name ?? "")
    }
    #expect(names == ["ledger_audit"])
  }

  @Test("from every position in segments of every shape, the same changes as from the beginning")
  func everywhere() async throws {
    let directory = try TemporaryDirectory()
    let writer = try directory.open(segmentBytes: 3_000)
    var records = LedgerRecords(after: .exampleStart)
    for number in 0..<120 {
      records.begin(xid: UInt32(number))
      if number == 0 { records.describe(LedgerRecords.transactions) }
      if number == 40 { records.describe(LedgerRecords.audit) }
      for row in 0..<number % 7 {
        try records.insert(
          row, "AUTH \(number)",
          in: number >= 40 && row == 3 ? LedgerRecords.audit : LedgerRecords.transactions)
        // Frames end anywhere.
        if (number + row) % 5 == 0 { try writer.append(records) }
      }
      _ = records.commit()
      if number % 3 == 0 { try writer.append(records) }
    }
    try writer.append(records)
    #expect(directory.segments.count > 5)
    let log = LogSource(directory: directory.path)
    for tables in [nil, ["public.ledger_audit"]] as [Set<String>?] {
      var all: [Position] = []
      for try await change in log.changes(tables: tables, follow: false) { all.append(change.position) }
      var wanted = 0
      for number in 0..<120 {
        let rows = number % 7
        if tables == nil { wanted += rows } else if number >= 40, rows > 3 { wanted += 1 }
      }
      #expect(all.count == wanted)
      for (index, position) in all.enumerated() {
        var rest: [Position] = []
        for try await change in log.changes(after: position, tables: tables, follow: false) {
          rest.append(change.position)
        }
        #expect(rest == Array(all[(index + 1)...]), "after \(position)")
      }
    }
  }
}
