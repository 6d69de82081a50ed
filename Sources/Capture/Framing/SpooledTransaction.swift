import PGOutput

/// The account of a transaction that goes to a spool: how much of it there is, and where rollbacks to its savepoints
/// would cut it (`worker.c subxact_info_add`, `stream_abort_internal`).
struct SpooledTransaction {
  /// Whose transaction it is.
  enum Standing {
    /// Nothing has shown it yet but, perhaps, foreign origins.
    case undecided
    case foreign
    /// Ours: nothing of it is kept.
    case own
  }

  /// The first record of a subtransaction stands at `bytes`, after so many changes.
  struct Cut: Equatable {
    var subtransaction: TransactionID
    var bytes: Int
    var changes: Int
  }

  private struct Described {
    var bytes: Int
    var description: RelationBook.Description
  }

  let xid: TransactionID
  let walStart: UInt64
  var standing = Standing.undecided
  /// Bytes of its records in the spool.
  private(set) var bytes = 0
  /// Row changes, truncations and messages among them.
  private(set) var changes = 0

  private var cuts: [Cut] = []
  private var current: TransactionID?
  private var newest: TransactionID?
  private var described: [Described] = []

  init(xid: TransactionID, walStart: UInt64) {
    self.xid = xid
    self.walStart = walStart
  }

  /// The next record belongs to this (sub)transaction.
  mutating func enter(_ subtransaction: TransactionID) {
    guard subtransaction != current else { return }
    current = subtransaction
    guard subtransaction != xid, index(of: subtransaction) == nil else { return }
    cuts.append(Cut(subtransaction: subtransaction, bytes: bytes, changes: changes))
    if newest.map({ subtransaction.follows($0) }) ?? true { newest = subtransaction }
  }

  /// A record of so many bytes, prefix included, goes to the spool.
  mutating func add(bytes size: Int, isChange: Bool) {
    bytes += size
    if isChange { changes += 1 }
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
    let cut = cuts[index]
    cuts.removeSubrange(index...)
    current = nil
    bytes = cut.bytes
    changes = cut.changes
    described.removeAll { $0.bytes >= cut.bytes }
    return cut.bytes
  }

  /// Nearly always one that is newer than all seen is asked for, or one of the last: neither costs a search of
  /// a million savepoints.
  private func index(of subtransaction: TransactionID) -> Int? {
    guard let newest, !subtransaction.follows(newest) else { return nil }
    return cuts.lastIndex { $0.subtransaction == subtransaction }
  }
}

extension TransactionID {
  /// Whether it was assigned after another: numbers wrap around (`transam.c TransactionIdFollows`).
  func follows(_ other: TransactionID) -> Bool {
    Int32(bitPattern: rawValue &- other.rawValue) > 0
  }
}
