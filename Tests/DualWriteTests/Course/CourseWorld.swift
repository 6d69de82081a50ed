import PGOutput

@testable import DualWrite

/// A ledger of a few rows, its log, and our writer, as values: every step of either can come between any two of the other.
///
/// A status and its state are the same number, 0 is NULL. Writers write old, new or both columns, in savepoints or not.
struct CourseWorld {
  struct Row: Equatable {
    var from: Int
    var to: Int
    var version: UInt32
  }

  /// One statement of an application.
  enum Act: Equatable {
    case old(Int, status: Int)
    case new(Int, state: Int)
    case mixed(Int, value: Int)
    case other(Int)
    case delete(Int)
    /// A row that changes partition: the log has a delete and an insert.
    case repartition(Int)
    case move(Int, to: Int)
    case truncate
  }

  struct Logged {
    var xid: UInt32
    var end: UInt64
    var staged = StagedTransaction()
  }

  /// What of the product is taken away, to see the test fail.
  enum Weakness { case none, pairEquality, noWaiting, unprovenAge, passesHeld }

  let weakness: Weakness
  private(set) var rows: [Int: Row] = [:]
  /// What the last writer meant.
  private(set) var meant: [Int: Int] = [:]
  private var log: [Logged] = []
  private var wal: UInt64 = 100
  private var lastXID: UInt32 = 10
  private var pairs: [UInt32: [Int: Row]] = [:]

  private(set) var checkpoint: UInt64 = 100
  private var read = 0
  private var readEnd: UInt64 = 100
  private(set) var book = IntentionBook()
  private var path = CheckpointPath()
  private var flight: Flight?
  /// Rows that somebody keeps locked.
  private var kept: Set<Int> = []

  private struct Flight {
    var lines: [IntentionLine]
    var path: CheckpointPath
    var earliestWaiting: LSN?
    /// Rows as they were before us, while our transaction is open: they are locked.
    var undo: [Int: Row] = [:]
    var stage = 0
    var open: [OpenRow] = []
    var seen: UInt64 = 0
    var moved: LSN?
  }

  init(rows: Int, weakness: Weakness = .none) {
    self.weakness = weakness
    for key in 0..<rows {
      self.rows[key] = Row(from: 1, to: 1, version: 5)
      meant[key] = 1
    }
  }

  private static func bytes(_ key: Int) -> KeyBytes { [UInt8(key)] }

  // The application.

  /// A transaction; false when one of its rows is locked by our open one.
  mutating func commit(_ acts: [(Act, inSavepoint: Bool)]) -> Bool {
    for (act, _) in acts where isLocked(act) { return false }
    lastXID += 1
    let xid = lastXID
    var logged = Logged(xid: xid, end: 0)
    for (act, inSavepoint) in acts {
      var version = xid
      if inSavepoint {
        lastXID += 1
        version = lastXID
      }
      apply(act, version, &logged.staged)
    }
    wal += 10
    logged.end = wal
    log.append(logged)
    return true
  }

  private func isLocked(_ act: Act) -> Bool {
    guard let flight, flight.stage == 1 else { return false }
    switch act {
    case .old(let key, _), .new(let key, _), .mixed(let key, _), .other(let key), .delete(let key),
      .repartition(let key):
      return flight.undo[key] != nil
    case .move(let key, let other): return flight.undo[key] != nil || flight.undo[other] != nil
    // It waits for everybody who has the table open.
    case .truncate: return true
    }
  }

  private mutating func apply(_ act: Act, _ version: UInt32, _ staged: inout StagedTransaction) {
    switch act {
    case .old(let key, let status): write(key, version, &staged) { row in (status, row?.to ?? 0) }
    case .new(let key, let state): write(key, version, &staged) { row in (row?.from ?? 0, state) }
    case .mixed(let key, let value): write(key, version, &staged) { _ in (value, value) }
    case .other(let key):
      guard rows[key] != nil else { return }
      write(key, version, &staged) { row in (row?.from ?? 0, row?.to ?? 0) }
    case .delete(let key):
      guard let row = rows.removeValue(forKey: key) else { return }
      meant[key] = nil
      staged.remove(Self.bytes(key), pair: Self.pair(row))
    case .repartition(let key):
      guard let row = rows[key] else { return }
      staged.remove(Self.bytes(key), pair: Self.pair(row))
      place(key, Row(from: row.from, to: row.to, version: version))
      staged.note(Verdict(Self.sight(row, row, isInsert: true)).course, key: Self.bytes(key))
    case .move(let key, let other):
      guard let row = rows[key], rows[other] == nil else { return }
      rows[key] = nil
      place(other, Row(from: row.from, to: row.to, version: version))
      meant[other] = meant.removeValue(forKey: key)
      staged.note(
        Verdict(Self.sight(row, row, isInsert: false)).course, key: Self.bytes(other), moved: Self.bytes(key))
    case .truncate:
      rows = [:]
      meant = [:]
      staged.truncate()
    }
  }

  private mutating func write(
    _ key: Int, _ version: UInt32, _ staged: inout StagedTransaction, _ values: (Row?) -> (Int, Int)
  ) {
    let before = rows[key]
    let (from, to) = values(before)
    let after = Row(from: from, to: to, version: version)
    place(key, after)
    if before?.from != from || before?.to != to {
      // A writer means the column that moved; an insert of one column leaves the other NULL.
      if let before { meant[key] = before.to != to ? to : from } else { meant[key] = to == 0 ? from : to }
    }
    staged.note(Verdict(Self.sight(before, after, isInsert: before == nil)).course, key: Self.bytes(key))
  }

  private mutating func place(_ key: Int, _ row: Row) {
    rows[key] = row
    pairs[row.version, default: [:]][key] = row
  }

  private static func pair(_ row: Row) -> PairValues {
    PairValues(from: [UInt8(row.from)], to: [UInt8(row.to)])
  }

  private static func sight(_ before: Row?, _ after: Row, isInsert: Bool) -> Sight {
    Sight(
      isInsert: isInsert, hasBefore: before != nil, fromMoved: before?.from != after.from,
      toMoved: before?.to != after.to, toIsNull: after.to == 0, fromIsBlank: after.from == 0,
      agreement: after.from == after.to && after.from != 0
        ? .agrees : .differs(fromKnown: after.from != 0, toKnown: after.to != 0))
  }

  // Our writer.

  /// Reads one transaction of the log, or its end.
  mutating func readOne() {
    guard read < log.count else {
      readEnd = wal
      return
    }
    let logged = log[read]
    read += 1
    readEnd = logged.end
    book.take(logged.staged, version: logged.xid, position: LSN(rawValue: logged.end))
    path.append(.init(end: LSN(rawValue: logged.end), transactions: 1, changes: 1))
  }

  /// Somebody locks a row, for our writer.
  mutating func keep(_ key: Int) { kept.insert(key) }

  /// All are let go, and our writer's look finds it so.
  mutating func letGo() {
    kept = []
    for key in book.held { book.release(key) }
  }

  /// The next step of a flight: the write, then the look with the checkpoint and the commit, then the answer.
  mutating func fly() {
    guard var flight else {
      var lines = book.lines(read: weakness == .noWaiting ? LSN(rawValue: .max) : LSN(rawValue: readEnd))
      let before = book.earliestWaiting
      for line in lines where kept.contains(Int(line.key[0])) { book.hold(line.key) }
      lines.removeAll { book.held.contains($0.key) }
      var flight = Flight(
        lines: lines, path: path,
        earliestWaiting: weakness == .passesHeld ? before : book.earliestWaiting)
      for line in lines { write(line, &flight) }
      flight.stage = 1
      self.flight = flight
      return
    }
    switch flight.stage {
    case 1:
      look(&flight)
      flight.stage = 2
      self.flight = flight
    default:
      self.flight = nil
      _ = book.land(flight.lines, open: flight.open, seen: LSN(rawValue: flight.seen))
      if let moved = flight.moved { path.passed(moved) }
    }
  }

  private mutating func write(_ line: IntentionLine, _ flight: inout Flight) {
    let key = Int(line.key[0])
    guard var row = rows[key], row.from != row.to else { return }
    switch weakness {
    case .pairEquality:
      guard let known = pairs[line.version]?[key], known.from == row.from, known.to == row.to else { return }
    case .unprovenAge: break
    case .none, .noWaiting, .passesHeld: guard row.version == line.version else { return }
    }
    flight.undo[key] = row
    lastXID += 1
    if line.way == .forward { row.to = row.from } else { row.from = row.to }
    row.version = lastXID
    place(key, row)
  }

  private mutating func look(_ flight: inout Flight) {
    for (index, line) in flight.lines.enumerated() {
      let key = Int(line.key[0])
      guard let row = rows[key], row.from == row.to else {
        flight.open.append(OpenRow(line: index, version: rows[key]?.version))
        continue
      }
      if flight.undo[key] == nil, row.version != line.version {
        flight.open.append(OpenRow(line: index, version: nil))
      }
    }
    flight.seen = wal
    wal += 1
    let open = flight.open.map { flight.lines[$0.line].position } + [flight.earliestWaiting].compactMap { $0 }
    flight.moved = flight.path.before(open.min()).end
    if let moved = flight.moved { checkpoint = max(checkpoint, moved.rawValue) }
  }

  /// SIGKILL: an open transaction is rolled back, and what was in memory is gone.
  mutating func crash() {
    if let flight, flight.stage == 1 {
      for (key, row) in flight.undo { rows[key] = row }
    }
    flight = nil
    book = IntentionBook()
    path = CheckpointPath()
    read = log.firstIndex { $0.end > checkpoint } ?? log.count
    readEnd = checkpoint
  }

  /// Lets our writer work until nothing is left; false when it does not come to an end.
  mutating func drain() -> Bool {
    letGo()
    for _ in 0..<200 {
      if read == log.count, readEnd >= wal, book.isEmpty, flight == nil, path.stretches.isEmpty {
        return true
      }
      readOne()
      fly()
    }
    return false
  }

  /// The keys whose row is not what the last writer meant, with the row.
  var wrong: [Int: Row] {
    rows.filter { key, row in row.from != meant[key] || row.to != meant[key] }
  }
}
