import ChangeLog
import PGOutput
import Testing

/// The reading API as another package has it: nothing but what is public.
@Suite("The log, read", .timeLimit(.minutes(1)))
struct ReadingTests {
  /// Three transactions and a message in a log of one segment.
  private func ledger(_ directory: TemporaryDirectory) throws -> (writer: ChangeLogWriter, ends: [LSN]) {
    let writer = try directory.open()
    var records = LedgerRecords(after: .exampleStart)
    var ends: [LSN] = []
    ends.append(
      try records.transaction(xid: 7) { ledger in
        ledger.describe(LedgerRecords.transactions)
        try ledger.insert(1, "AUTH")
        try ledger.insert(2, "AUTH")
      })
    ends.append(records.announce("closing"))
    ends.append(
      try records.transaction(xid: 8, origin: "elsewhere") { ledger in
        ledger.describe(LedgerRecords.audit)
        try ledger.insert(1, "seen", in: LedgerRecords.audit)
        try ledger.update(1, "CAPTURED")
        ledger.message("inside")
      })
    ends.append(
      try records.transaction(xid: 9) { ledger in
        try ledger.update(20, "Settled", formerly: 2)
        try ledger.delete(1)
        ledger.truncate(LedgerRecords.audit, LedgerRecords.transactions)
      })
    try writer.append(records)
    return (writer, ends)
  }

  private func describe(_ change: LogChange) throws -> String {
    let name = change.relation?.name ?? "-"
    let columns = try [change.old("id"), change.new("id"), change.new("status")].map { image in
      if case .text(let text) = image { text } else { "-" }
    }
    return "\(change.ordinal) \(change.kind) \(name) \(columns.joined(separator: " "))"
  }

  @Test("whole transactions: ends, times, numbers, origins, and changes with their tables")
  func transactions() async throws {
    let directory = try TemporaryDirectory()
    let (_, ends) = try ledger(directory)
    var heads: [LogTransaction.Head] = []
    var changes: [String] = []
    for try await transaction in LogSource(directory: directory.path).transactions(follow: false) {
      heads.append(transaction.head)
      while let change = try transaction.next() { changes.append(try describe(change)) }
    }
    #expect(heads.map(\.end) == ends)
    #expect(heads.map(\.xid?.rawValue) == [7, nil, 8, 9])
    #expect(
      heads.map(\.commitTime) == [
        LedgerRecords.time(7), nil, LedgerRecords.time(8), LedgerRecords.time(9),
      ])
    #expect(heads.map(\.origin?.name) == [nil, nil, "elsewhere", nil])
    #expect(heads[0].commitLSN.rawValue == ends[0].rawValue - 0x30)
    #expect(
      changes == [
        "0 insert transactions - 1 AUTH", "1 insert transactions - 2 AUTH", "0 message - - - -",
        "0 insert ledger_audit - 1 -", "1 update transactions - 1 CAPTURED", "2 message - - - -",
        "0 update transactions 2 20 Settled", "1 delete transactions 1 - -", "2 truncate ledger_audit - - -",
      ])
  }

  @Test("a change decodes as the message it is")
  func decoding() async throws {
    let directory = try TemporaryDirectory()
    _ = try ledger(directory)
    var texts: [String] = []
    for try await change in LogSource(directory: directory.path).changes(follow: false) {
      if change.kind == .truncate {
        texts.append(change.truncated.map(\.qualifiedName).joined(separator: " "))
      }
      guard change.kind == .message else { continue }
      try change.withMessage { message throws(ChangeLogError) in
        if case .message(let message) = message { texts.append(message.content.utf8String ?? "") }
      }
      #expect(try change.withRow { _, _ throws(ChangeLogError) in 1 } == nil)
    }
    #expect(texts == ["closing", "inside", "public.ledger_audit public.transactions"])
  }

  @Test("from every position, in a transaction too, exactly what comes after it is read")
  func positions() async throws {
    let directory = try TemporaryDirectory()
    _ = try ledger(directory)
    let log = LogSource(directory: directory.path)
    var all: [Position] = []
    for try await change in log.changes(follow: false) { all.append(change.position) }
    #expect(all == all.sorted() && Set(all).count == 9)
    for (index, position) in all.enumerated() {
      var rest: [Position] = []
      for try await change in log.changes(after: position, follow: false) { rest.append(change.position) }
      #expect(rest == Array(all[(index + 1)...]))
      var later: [Position] = []
      for try await transaction in log.transactions(
        after: Position(endLSN: position.endLSN), through: all.last?.endLSN)
      {
        later.append(transaction.position)
      }
      #expect(
        later == Set(all.map(\.endLSN)).filter { $0 > position.endLSN }.sorted().map { Position(endLSN: $0) })
    }
  }

  @Test("a range ends where it is told, without waiting")
  func range() async throws {
    let directory = try TemporaryDirectory()
    let (_, ends) = try ledger(directory)
    let log = LogSource(directory: directory.path)
    for through in ends {
      var read: [LSN] = []
      for try await transaction in log.transactions(through: through) { read.append(transaction.head.end) }
      #expect(read == ends.filter { $0 <= through })
    }
  }

  @Test("only the tables asked for, with the numbers their changes have among all")
  func tables() async throws {
    let directory = try TemporaryDirectory()
    let (_, ends) = try ledger(directory)
    let log = LogSource(directory: directory.path)
    var found: [Position] = []
    for try await change in log.changes(tables: ["public.ledger_audit"], follow: false) {
      found.append(change.position)
    }
    #expect(found == [Position(endLSN: ends[2], ordinal: 0), Position(endLSN: ends[3], ordinal: 2)])
    var heads: [LSN] = []
    for try await transaction in log.transactions(tables: ["public.nothing"], follow: false) {
      heads.append(transaction.head.end)
    }
    #expect(heads == [])
  }

  @Test("changes of a transaction that the reader has left are refused, not given wrong")
  func passedOver() async throws {
    let directory = try TemporaryDirectory()
    let (_, ends) = try ledger(directory)
    var sequence = LogSource(directory: directory.path).transactions(follow: false).makeAsyncIterator()
    let first = try #require(try await sequence.next())
    let second = try #require(try await sequence.next())
    #expect(throws: ChangeLogError.passedOver(end: ends[0])) { try first.next() }
    #expect(try second.next()?.kind == .message)
    #expect(try second.next() == nil)
  }

  @Test("what is no position of the log is refused")
  func refused() async throws {
    let directory = try TemporaryDirectory()
    let (_, ends) = try ledger(directory)
    let log = LogSource(directory: directory.path)
    func first(_ position: LSN) async throws -> LSN? {
      var sequence = log.transactions(after: Position(endLSN: position), follow: false).makeAsyncIterator()
      return try await sequence.next()?.head.end
    }
    await #expect(throws: ChangeLogError.pruned(asked: LSN(rawValue: 1), firstHeld: .exampleStart)) {
      try await first(LSN(rawValue: 1))
    }
    let beyond = LSN(rawValue: ends[3].rawValue + 1)
    await #expect(throws: ChangeLogError.aheadOfLog(asked: beyond, end: ends[3])) { try await first(beyond) }
    // Between the beginning of a commit record and its end lies no position, yet what comes after it is clear.
    #expect(try await first(LSN(rawValue: ends[2].rawValue - 1)) == ends[2])
  }
}
