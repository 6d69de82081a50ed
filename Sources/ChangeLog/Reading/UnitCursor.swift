import PGOutput

/// Walks the units of a log - transactions, and messages outside of them - and the records in each. Never waits.
///
/// It walks a frame's records in place: nothing is allocated or retained for one that nobody takes.
///
/// Invariants:
/// - `open` is the unit that is being walked; `first` its first record while nobody has taken it;
/// - `bytes` are those of `storage`, which is kept as long as they are used; `offset` is where its next record starts;
/// - every Relation that was passed, taken or not, is in `tables` and `known`: frames that hold one are never left
///   unread.
package final class UnitCursor {
  let reader: LogReader
  let selection: LogSelection
  /// Whether every change is wanted.
  let isForAll: Bool
  private let directory: String
  private let after: Position

  @exclusivity(unchecked) private(set) var storage = LogBytes(
    copying: UnsafeRawBufferPointer(start: nil, count: 0))
  @exclusivity(unchecked) private(set) var bytes = UnsafeRawBufferPointer(start: nil, count: 0)
  @exclusivity(unchecked) private(set) var offset = 0
  /// The tables as they were described last.
  var tables: [RelationID: DescribedTable] = [:]
  /// The one looked up last: changes of one table come in runs.
  @exclusivity(unchecked) var lastTable: DescribedTable?
  /// The Relation and Type messages passed so far.
  var known = KnownRelations()
  /// Whether one of the tables wanted is known.
  var knowsWanted = false
  @exclusivity(unchecked) var open: LogTransaction.Head?
  @exclusivity(unchecked) var first: StoredRecord?
  /// A change that was looked at, and goes to who asks next.
  private var ahead: LogChange?
  /// The next change's number.
  @exclusivity(unchecked) var ordinal: UInt64 = 0
  /// Changes of the open unit up to this number have been handled; nil when none has.
  @exclusivity(unchecked) private var handled: UInt64?
  private(set) var isPassing = false
  /// Counts the units opened: a transaction knows by it that the reader has gone on.
  private(set) var generation = 0
  /// Whether what is asked for ends here.
  private(set) var hasEnded = false

  /// - Parameter resuming: a reader that stands behind damage; without one, reading begins at the position.
  init(
    _ source: LogSource, _ selection: LogSelection, resuming: LogReader? = nil
  ) throws(ChangeLogError) {
    let position: Position
    if let after = selection.after {
      position = after
    } else if resuming != nil {
      position = Position(endLSN: .invalid)
    } else {
      let shelf = SegmentShelf(directory: LogDirectory(path: source.directory), restore: source.restore)
      guard let start = try shelf.starts().first else {
        throw .noLog(directory: source.directory)
      }
      position = Position(endLSN: start)
    }
    directory = source.directory
    after = position
    self.selection = selection
    isForAll = selection.tables == nil && selection.keys == nil
    if let resuming {
      reader = resuming
      return
    }
    // For the rest of a transaction the reader begins before it.
    let isWhole = position.ordinal == Position.whole || !position.endLSN.isValid
    let start = isWhole ? position.endLSN : LSN(rawValue: position.endLSN.rawValue - 1)
    reader = try LogReader(
      directory: source.directory, after: start, tail: source.tail, restore: source.restore, isTrimming: false
    )
  }

  /// Everything up to here was passed, when nothing is left of what was read.
  var reach: LSN { reader.reach }

  /// Whether every record read was taken: what the reader has passed, the units have, too.
  var isDrained: Bool { offset >= bytes.count }

  /// The Relation and Type messages of all that was read, given or not.
  func passedRelations() throws(ChangeLogError) -> KnownRelations {
    var passed = reader.untoldRelations
    try known.records().withUnsafeBytes { bytes throws(ChangeLogError) in try passed.noteAll(bytes) }
    return passed
  }

  /// Takes a chunk that somebody waited for.
  func take(_ chunk: LogChunk) {
    storage = chunk.storage
    bytes = UnsafeRawBufferPointer(rebasing: chunk.storage.unowned[..<chunk.range.upperBound])
    offset = chunk.range.lowerBound
  }

  /// Goes to the next unit, past what is left of the one before; nil when there is none yet, or none to come.
  package func nextUnit() throws(ChangeLogError) -> LogTransaction.Head? {
    generation &+= 1
    try passRest()
    while !hasEnded, let place = try take() {
      switch place.tag {
      case UInt8(ascii: "B"): try begin(place)
      case UInt8(ascii: "M"): try message(place)
      case UInt8(ascii: "R"), UInt8(ascii: "Y"):
        try note(place)
        continue
      default: throw record(place).malformed("it belongs in a transaction, and none is open")
      }
      guard let head = open else { continue }
      handled = nil
      if let through = selection.through, head.end > through {
        hasEnded = true
        open = nil
        return nil
      }
      if head.end > after.endLSN { return head }
      if head.end == after.endLSN, after.ordinal != Position.whole {
        handled = after.ordinal
        return head
      }
      try passRest()
    }
    if let through = selection.through, reader.reach >= through { hasEnded = true }
    if !selection.follows, !hasEnded { try reader.checkEnd() }
    return nil
  }

  /// The next record of the open unit, from its Begin to its Commit; nil after the last.
  package func nextRecord() throws(ChangeLogError) -> StoredRecord? {
    if let record = first {
      first = nil
      if open?.xid == nil { open = nil }
      return record
    }
    guard let place = try nextPlace() else { return nil }
    return record(place)
  }

  /// The next record of the open unit after its first; nil after the last.
  @inline(__always)
  private func nextPlace() throws(ChangeLogError) -> RecordPlace? {
    guard open != nil else { return nil }
    guard let place = try take() else {
      throw .damaged(file: directory, offset: 0, reason: "the log ends within a transaction")
    }
    switch place.tag {
    case UInt8(ascii: "C"): open = nil
    case UInt8(ascii: "R"), UInt8(ascii: "Y"): try note(place)
    case UInt8(ascii: "B"): throw record(place).malformed("a Begin inside a transaction")
    default: break
    }
    return place
  }

  /// The next change of the open unit that is wanted; nil after the last.
  func nextChange() throws(ChangeLogError) -> LogChange? {
    if let ahead {
      self.ahead = nil
      return ahead
    }
    if first != nil {
      guard let head = open, let record = try nextRecord() else { return nil }
      // A message outside of a transaction is its only change: it has been handled, or it has not.
      if head.xid == nil { return handled == nil ? message(record, head) : nil }
    }
    while let place = try nextPlace() {
      guard let kind = LogChange.Kind(tag: place.tag) else { continue }
      let number = ordinal
      ordinal &+= 1
      // A position within this transaction: what it has is handled.
      if let handled, number <= handled { continue }
      if let change = try change(kind, place, number) { return change }
    }
    return nil
  }

  /// Looks for the first change that is wanted, and keeps it; false when there is none.
  func findChange() throws(ChangeLogError) -> Bool {
    ahead = try nextChange()
    return ahead != nil
  }

  /// Goes past what is left of the open unit.
  private func passRest() throws(ChangeLogError) {
    ahead = nil
    guard open != nil else { return }
    isPassing = true
    defer { isPassing = false }
    if first != nil { _ = try nextRecord() }
    while try nextPlace() != nil {}
  }

  /// The Relation and Type messages passed so far, as records: what the next unit may need.
  package func knownRelations() -> RecordGroup { known.records() }

  /// The record at a place of the frame at hand, with the frame's bytes.
  func record(_ place: RecordPlace) -> StoredRecord {
    StoredRecord(
      storage: storage, range: place.start..<place.end,
      walStart: LSN(rawValue: bytes.bigEndian(at: place.start - 8)), tag: place.tag)
  }

  /// The next record, which stays; from the next frame when this one is at its end.
  @inline(__always)
  func peek() throws(ChangeLogError) -> RecordPlace? {
    if let place = try bytes.record(at: offset) { return place }
    return try peekFurther()
  }

  private func peekFurther() throws(ChangeLogError) -> RecordPlace? {
    while true {
      guard let next = try reader.next(timeout: .zero, wanting: { self.wants($0) }) else { return nil }
      take(next)
      if let place = try bytes.record(at: offset) { return place }
    }
  }

  @inline(__always)
  private func take() throws(ChangeLogError) -> RecordPlace? {
    guard let place = try peek() else { return nil }
    offset = place.end
    return place
  }

  /// Whether a frame is to be unpacked. Not one that lies inside a transaction that is passed over, nor one that
  /// cannot hold a change of the tables wanted since none of them has been described; but always one that describes.
  private func wants(_ announcement: Announcement) -> Bool {
    let flags = announcement.flags
    let isInner = flags.contains([.beginsInside, .endsInside])
    let isApart = flags.isDisjoint(with: [.beginsInside, .endsInside])
    guard !flags.contains(.relations), !reader.hasUntoldRelations, isInner || isApart else { return true }
    if isInner && isPassing { return false }
    guard selection.tables != nil, selection.messages == nil, !knowsWanted else { return true }
    // Its changes are counted all the same.
    if isInner { ordinal &+= UInt64(announcement.changes) }
    return false
  }
}
