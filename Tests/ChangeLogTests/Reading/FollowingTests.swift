import ChangeLog
import PGOutput
import Testing

@Suite("The log, followed", .timeLimit(.minutes(1)))
struct FollowingTests {
  /// Writes one transaction, sometimes only when its reader surely waits.
  private static func write(_ number: Int, after: LSN, to writer: ChangeLogWriter) async throws -> LSN {
    if number.isMultiple(of: 10) { try await Task.sleep(for: .milliseconds(20)) }
    var records = LedgerRecords(after: after)
    let end = try records.transaction(xid: UInt32(number)) { ledger in
      if number == 0 { ledger.describe(LedgerRecords.transactions) }
      try ledger.insert(number, "AUTH")
    }
    try writer.append(records)
    return end
  }

  @Test("what comes is given as it comes, from the tail and from the files", arguments: [true, false])
  func follow(throughTail: Bool) async throws {
    let directory = try TemporaryDirectory()
    let tail = LogTail()
    let writer = try directory.open(segmentBytes: 2_000, tail: tail)
    let log = LogSource(directory: directory.path, tail: throughTail ? tail : nil)
    var sequence = log.transactions().makeAsyncIterator()
    var position = LSN.exampleStart
    for number in 0..<60 {
      // Each is written only when the one before has been read: so every one is waited for.
      let before = position
      async let written = Self.write(number, after: before, to: writer)
      let transaction = try #require(try await sequence.next())
      position = try await written
      #expect(transaction.head.end == position)
      #expect(try transaction.next()?.new("id") == .text("\(number)"))
    }
    #expect(directory.segments.count > 1)
  }

  @Test("a task that is cancelled while it waits ends, and so does the sequence", arguments: [true, false])
  func cancelled(throughTail: Bool) async throws {
    let directory = try TemporaryDirectory()
    let tail = LogTail()
    let writer = try directory.open(tail: tail)
    let log = LogSource(directory: directory.path, tail: throughTail ? tail : nil)
    let task = Task {
      var count = 0
      for try await _ in log.transactions() { count += 1 }
      return count
    }
    try await Task.sleep(for: .milliseconds(50))
    let start = ContinuousClock.now
    task.cancel()
    #expect(try await task.value == 0)
    #expect(ContinuousClock.now - start < .seconds(5))
    withExtendedLifetime(writer) {}
  }

  @Test("a task that is cancelled while it reads is given no more")
  func cancelledWhileReading() async throws {
    let directory = try TemporaryDirectory()
    let writer = try directory.open()
    var records = LedgerRecords(after: .exampleStart)
    for number in 0..<10 { _ = records.announce("\(number)") }
    try writer.append(records)
    let log = LogSource(directory: directory.path)
    let task = Task {
      var count = 0
      for try await _ in log.transactions(follow: false) {
        count += 1
        if count == 3 { withUnsafeCurrentTask { $0?.cancel() } }
      }
      return count
    }
    #expect(try await task.value == 3)
  }

  @Test("a tail that is closed ends the sequence, after all that was durable")
  func closed() async throws {
    let directory = try TemporaryDirectory()
    let tail = LogTail()
    let writer = try directory.open(tail: tail)
    let task = Task {
      var ends: [LSN] = []
      for try await change in LogSource(directory: directory.path, tail: tail).changes() {
        ends.append(change.position.endLSN)
      }
      return ends
    }
    var records = LedgerRecords(after: .exampleStart)
    let end = records.announce("last")
    try writer.append(records)
    tail.close()
    #expect(try await task.value == [end])
  }

  @Test("a range whose end an idle source passes is over")
  func watermark() async throws {
    let directory = try TemporaryDirectory()
    let tail = LogTail()
    let writer = try directory.open(tail: tail)
    let through = LSN(rawValue: 0x9000)
    let task = Task {
      var count = 0
      for try await _ in LogSource(directory: directory.path, tail: tail).transactions(through: through) {
        count += 1
      }
      return count
    }
    try writer.mark(watermark: LSN(rawValue: 0xA000))
    try writer.sync()
    #expect(try await task.value == 0)
  }
}
