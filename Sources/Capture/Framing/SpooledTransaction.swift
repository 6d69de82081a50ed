import PGOutput

/// The account of a transaction that goes to a spool: how much of it there is, and where rollbacks to its savepoints
/// would cut it (`worker.c subxact_info_add`, `stream_abort_internal`).
struct SpooledTransaction {
  /// Whose transaction it is.
  enum Standing {
    /// Nothing has shown it yet but, perhaps, foreign origins.
    case undecided
    case foreign
    /// Ours: nothing of it is kept but its corrections.
    case own
  }

  /// Records of one (sub)transaction in a row. Sixteen bytes: a transaction may have a million savepoints.
  private struct Run {
    var owner: TransactionID
    /// Changes before it, modulo 2^32.
    var changes: UInt32
    /// Bytes before it; the highest bit says that it is its owner's first.
    var place: UInt64

    init(owner: TransactionID, changes: Int, bytes: Int, isFirst: Bool) {
      self.owner = owner
      self.changes = UInt32(truncatingIfNeeded: changes)
      place = UInt64(bytes) | (isFirst ? 1 << 63 : 0)
    }

    var bytes: Int { Int(place & ~(1 << 63)) }
    var isFirst: Bool { place >> 63 == 1 }
  }

  private struct Described {
    var bytes: Int
    var description: RelationBook.Description
  }

  let xid: TransactionID
  let walStart: UInt64
  var standing = Standing.undecided
  /// Bytes of its records: in the spool, unless it is ours.
  private(set) var bytes = 0
  /// Row changes, truncations and messages among them.
  private(set) var changes = 0

  /// Of our own: the corrections in the spool, and all bytes there.
  private(set) var corrections = 0
  private var correctionBytes = 0
  /// What the log gets if it commits, and the bytes of it in the spool.
  var kept: (changes: Int, bytes: Int) {
    switch standing {
    case .foreign: (changes, bytes)
    case .own: (corrections, correctionBytes)
    case .undecided: (0, bytes)
    }
  }

  /// Where the owner of the records changes.
  private var runs: [Run] = []
  private var seen = SeenSubtransactions()
  private var described: [Described] = []

  init(xid: TransactionID, walStart: UInt64) {
    self.xid = xid
    self.walStart = walStart
  }

  /// The next record belongs to this (sub)transaction.
  mutating func enter(_ owner: TransactionID) {
    guard owner != runs.last?.owner else { return }
    let place = seen.place(of: owner, in: xid)
    let isFirst = owner != xid && !place.isThere
    if isFirst { seen.insert(owner, at: place, in: xid) }
    runs.append(Run(owner: owner, changes: changes, bytes: bytes, isFirst: isFirst))
  }

  /// A record of so many bytes, prefix included, goes to the spool.
  mutating func add(bytes size: Int, isChange: Bool) {
    bytes += size
    if isChange { changes += 1 }
  }

  /// A record of our own, of so many bytes, goes to the spool.
  mutating func keep(bytes size: Int, isCorrection: Bool) {
    correctionBytes += size
    if isCorrection { corrections += 1 }
  }

  /// A description goes to the spool as the next record. One that says again what stands there is not kept twice: a
  /// transaction that rolls back a million savepoints is described a million times.
  mutating func describe(_ description: RelationBook.Description) {
    if let last = described.lastIndex(where: { $0.description.key == description.key }),
      described[last].description.payload == description.payload
    {
      described[last].description.arrival = description.arrival
      return
    }
    described.append(Described(bytes: bytes, description: description))
  }

  /// Whether the spool holds a description of this table.
  func describes(_ relation: UInt32) -> Bool {
    described.contains { !$0.description.key.isType && $0.description.key.oid == relation }
  }

  /// The last description of each table and type in the spool.
  var descriptions: [RelationBook.Description] {
    var last: [RelationBook.Key: RelationBook.Description] = [:]
    for one in described { last[one.description.key] = one.description }
    return last.values.sorted { $0.arrival < $1.arrival }
  }

  /// Rolls a subtransaction back: everything since its first record goes, with the subtransactions first seen later.
  /// Gives the bytes that stay; nil when nothing of it ever came.
  mutating func rollBack(_ subtransaction: TransactionID) -> Int? {
    guard let index = index(of: subtransaction) else { return nil }
    let cut = runs[index]
    for run in runs[index...].reversed() where run.isFirst { seen.remove(run.owner, in: xid) }
    runs.removeSubrange(index...)
    bytes = cut.bytes
    changes -= Int(UInt32(truncatingIfNeeded: changes) &- cut.changes)
    described.removeAll { $0.bytes >= cut.bytes }
    return cut.bytes
  }

  /// The subtransactions that records are of.
  var subtransactions: [TransactionID] { runs.filter(\.isFirst).map(\.owner) }

  /// Takes the records of subtransactions out that the server has rolled back without saying so. Gives the runs of bytes
  /// that go, ascending. To be called when no more records come.
  ///
  /// Descriptions stay: the server has sent them for the whole transaction, and does not send them again after a rollback
  /// that it does not tell of.
  mutating func remove(_ rolledBack: Set<TransactionID>) -> [Range<Int>] {
    var gone: [Range<Int>] = []
    var changesGone = 0
    var descriptions = described[...]
    for (index, run) in runs.enumerated() where rolledBack.contains(run.owner) {
      let next = index + 1 < runs.count ? runs[index + 1] : nil
      let end = next?.bytes ?? bytes
      changesGone += Int((next?.changes ?? UInt32(truncatingIfNeeded: changes)) &- run.changes)
      var start = run.bytes
      while let one = descriptions.first, one.bytes < end {
        descriptions.removeFirst()
        guard one.bytes >= start else { continue }
        if one.bytes > start { gone.append(start..<one.bytes) }
        start = one.bytes + RecordHeader.size + one.description.payload.count
      }
      if end > start { gone.append(start..<end) }
    }
    changes -= changesGone
    bytes -= gone.reduce(0) { $0 + $1.count }
    return gone
  }

  /// Where its first record stands. One of which nothing came is not searched for among a million savepoints.
  private func index(of subtransaction: TransactionID) -> Int? {
    guard subtransaction != xid, seen.place(of: subtransaction, in: xid).isThere else { return nil }
    return runs.lastIndex { $0.isFirst && $0.owner == subtransaction }
  }
}
