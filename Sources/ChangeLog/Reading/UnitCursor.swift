import PGOutput

/// Walks the units of a log - transactions, and messages outside of them - and the records in each. Never waits.
///
/// Invariants:
/// - `open` is the unit that is being walked; `first` its first record while nobody has taken it;
/// - every Relation that was passed, taken or not, is in `relations` and `known`: frames that hold one are never
///   left unread.
package final class UnitCursor {
  let reader: LogReader
  private let directory: String
  private let after: Position
  private let through: LSN?
  private let follows: Bool
  /// The tables that are wanted; nil for all.
  private let tables: Set<String>?

  private var chunk: LogChunk?
  /// Where the next record starts in the chunk's storage.
  private var offset = 0
  private(set) var relations: [RelationID: Relation] = [:]
  /// The Relation and Type messages passed so far.
  private var known = KnownRelations()
  /// Whether one of the tables wanted is known.
  private var knowsWanted = false
  private var open: LogTransaction.Head?
  private var first: StoredRecord?
  /// A change that was looked at, and goes to who asks next.
  private var ahead: LogChange?
  /// The next change's number.
  private var ordinal: UInt64 = 0
  private var isPassing = false
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
    through = selection.through
    follows = selection.follows
    tables = selection.tables
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

  /// Takes a chunk that somebody waited for.
  func take(_ chunk: LogChunk) {
    self.chunk = chunk
    offset = chunk.range.lowerBound
  }

  /// Goes to the next unit, past what is left of the one before; nil when there is none yet, or none to come.
  package func nextUnit() throws(ChangeLogError) -> LogTransaction.Head? {
    generation &+= 1
    try passRest()
    while !hasEnded, let record = try take() {
      switch record.tag {
      case UInt8(ascii: "B"): try begin(record)
      case UInt8(ascii: "M"): try message(record)
      case UInt8(ascii: "R"), UInt8(ascii: "Y"):
        try note(record)
        continue
      default: throw record.malformed("it belongs in a transaction, and none is open")
      }
      guard let head = open else { continue }
      if let through, head.end > through {
        hasEnded = true
        open = nil
        return nil
      }
      if head.end > after.endLSN { return head }
      if head.end == after.endLSN, after.ordinal != Position.whole { return head }
      try passRest()
    }
    if let through, reader.reach >= through { hasEnded = true }
    if !follows, !hasEnded { try reader.checkEnd() }
    return nil
  }

  /// The next record of the open unit, from its Begin to its Commit; nil after the last.
  package func nextRecord() throws(ChangeLogError) -> StoredRecord? {
    guard open != nil else { return nil }
    let isFirst = first != nil
    var found = first
    first = nil
    if found == nil { found = try take() }
    guard let record = found else {
      throw .damaged(file: directory, offset: 0, reason: "the log ends within a transaction")
    }
    switch record.tag {
    case UInt8(ascii: "C"): open = nil
    case UInt8(ascii: "R"), UInt8(ascii: "Y"): try note(record)
    case UInt8(ascii: "M") where open?.xid == nil: open = nil
    case UInt8(ascii: "B") where !isFirst: throw record.malformed("a Begin inside a transaction")
    default: break
    }
    return record
  }

  /// The next change of the open unit that is wanted; nil after the last.
  func nextChange() throws(ChangeLogError) -> LogChange? {
    if let ahead {
      self.ahead = nil
      return ahead
    }
    while let head = open, let record = try nextRecord() {
      guard let kind = LogChange.Kind(tag: record.tag) else { continue }
      let number = ordinal
      ordinal &+= 1
      // A position within this transaction: what it has is handled.
      if head.end == after.endLSN, number <= after.ordinal { continue }
      if let change = try change(kind, record, head, number) { return change }
    }
    return nil
  }

  /// Looks for the first change that is wanted, and keeps it; false when there is none.
  func findChange() throws(ChangeLogError) -> Bool {
    ahead = try nextChange()
    return ahead != nil
  }

  /// Whether every record read was taken: what the reader has passed, the units have, too.
  var isDrained: Bool { chunk.map { offset >= $0.range.upperBound } ?? true }

  /// The Relation and Type messages of all that was read, given or not.
  func passedRelations() throws(ChangeLogError) -> KnownRelations {
    var passed = reader.untoldRelations
    try known.records().withUnsafeBytes { bytes throws(ChangeLogError) in try passed.noteAll(bytes) }
    return passed
  }

  /// The Relation and Type messages passed so far, as records: what the next unit may need.
  package func knownRelations() -> RecordGroup { known.records() }
}

// Units begin and end.
extension UnitCursor {
  private func begin(_ record: StoredRecord) throws(ChangeLogError) {
    let begin = try record.withMessage { message throws(ChangeLogError) -> Begin in
      guard case .begin(let begin) = message else { throw record.malformed("no Begin") }
      return begin
    }
    let found = try endAhead()
    let end = if let found { found } else { try reader.endOfOpenTransaction() }
    open = LogTransaction.Head(
      end: end, commitLSN: begin.finalLSN, commitTime: begin.commitTime, xid: begin.xid, origin: nil)
    first = record
    ordinal = 0
    guard let next = try peek(), next.tag == UInt8(ascii: "O") else { return }
    open?.origin = try next.withMessage { message throws(ChangeLogError) -> Origin? in
      guard case .origin(let origin) = message else { return nil }
      return origin
    }
  }

  private func message(_ record: StoredRecord) throws(ChangeLogError) {
    let (lsn, isTransactional) = try record.withMessage { message throws(ChangeLogError) -> (LSN, Bool) in
      guard case .message(let message) = message else { throw record.malformed("no Message") }
      return (message.lsn, message.isTransactional)
    }
    guard !isTransactional else { throw record.malformed("it belongs in a transaction, and none is open") }
    open = LogTransaction.Head(
      end: LSN(rawValue: lsn.rawValue &+ 1), commitLSN: lsn, commitTime: nil, xid: nil, origin: nil)
    first = record
    ordinal = 0
  }

  /// The end of the transaction whose Begin was taken last, if its Commit stands in the same frame.
  private func endAhead() throws(ChangeLogError) -> LSN? {
    guard let chunk else { return nil }
    return try chunk.storage.withUnsafeBytes { bytes throws(ChangeLogError) -> LSN? in
      var records = LogRecordIterator(
        UnsafeRawBufferPointer(rebasing: bytes[..<chunk.range.upperBound]), from: offset)
      while let record = try records.next() {
        guard record.payload.first == UInt8(ascii: "C"), record.payload.count >= 26 else { continue }
        return LSN(rawValue: record.payload.bigEndian(at: 10))
      }
      return nil
    }
  }

  private func passRest() throws(ChangeLogError) {
    ahead = nil
    isPassing = true
    defer { isPassing = false }
    while try nextRecord() != nil {}
  }
}

// Records and what they change.
extension UnitCursor {
  private func change(
    _ kind: LogChange.Kind, _ record: StoredRecord, _ head: LogTransaction.Head, _ number: UInt64
  ) throws(ChangeLogError) -> LogChange? {
    switch kind {
    case .insert, .update, .delete:
      let id = try record.withUnsafePayload { payload throws(ChangeLogError) -> RelationID in
        guard payload.count >= 5 else { throw record.malformed("the message ends within its relation id") }
        return RelationID(rawValue: payload.bigEndian(at: 1))
      }
      let relation = try described(id, record)
      guard tables?.contains(relation.qualifiedName) ?? true else { return nil }
      return LogChange(
        kind: kind, transaction: head, ordinal: number, relation: relation, truncated: [], record: record)
    case .truncate:
      let ids = try record.withMessage { message throws(ChangeLogError) -> [RelationID] in
        guard case .truncate(let truncate) = message else { return [] }
        return truncate.relations
      }
      var emptied: [Relation] = []
      for id in ids { emptied.append(try described(id, record)) }
      if let tables, !emptied.contains(where: { tables.contains($0.qualifiedName) }) { return nil }
      return LogChange(
        kind: kind, transaction: head, ordinal: number, relation: emptied.first, truncated: emptied,
        record: record)
    case .message:
      guard tables == nil else { return nil }
      return LogChange(
        kind: kind, transaction: head, ordinal: number, relation: nil, truncated: [], record: record)
    }
  }

  private func described(_ id: RelationID, _ record: StoredRecord) throws(ChangeLogError) -> Relation {
    guard let relation = relations[id] else {
      throw record.malformed("it changes table \(id), which nothing before it describes")
    }
    return relation
  }

  private func note(_ record: StoredRecord) throws(ChangeLogError) {
    try record.withUnsafePayload { payload throws(ChangeLogError) in known.note(payload) }
    guard record.tag == UInt8(ascii: "R") else { return }
    let relation = try record.withMessage { message throws(ChangeLogError) -> Relation? in
      guard case .relation(let relation) = message else { return nil }
      return relation
    }
    guard let relation else { return }
    relations[relation.id] = relation
    if let tables { knowsWanted = relations.values.contains { tables.contains($0.qualifiedName) } }
  }

  /// The next record, which stays; from the next chunk when this one is at its end.
  private func peek() throws(ChangeLogError) -> StoredRecord? {
    while true {
      if let chunk, let record = try record(in: chunk) { return record }
      guard let next = try reader.next(timeout: .zero, wanting: { self.wants($0) }) else {
        chunk = nil
        return nil
      }
      take(next)
    }
  }

  private func take() throws(ChangeLogError) -> StoredRecord? {
    guard let record = try peek() else { return nil }
    offset = record.range.upperBound
    return record
  }

  private func record(in chunk: LogChunk) throws(ChangeLogError) -> StoredRecord? {
    try chunk.storage.withUnsafeBytes { bytes throws(ChangeLogError) -> StoredRecord? in
      var records = LogRecordIterator(
        UnsafeRawBufferPointer(rebasing: bytes[..<chunk.range.upperBound]), from: offset)
      guard let record = try records.next() else { return nil }
      let start = record.offset + LogFormat.recordPrefix
      return StoredRecord(
        storage: chunk.storage, range: start..<records.offset, walStart: LSN(rawValue: record.walStart),
        tag: record.payload.first ?? 0)
    }
  }

  /// Whether a frame is to be unpacked. Not one that lies inside a transaction that is passed over, nor one that
  /// cannot hold a change of the tables wanted since none of them has been described; but always one that describes.
  private func wants(_ announcement: Announcement) -> Bool {
    let flags = announcement.flags
    let isInner = flags.contains([.beginsInside, .endsInside])
    let isApart = flags.isDisjoint(with: [.beginsInside, .endsInside])
    guard !flags.contains(.relations), !reader.hasUntoldRelations, isInner || isApart else { return true }
    if isInner && isPassing { return false }
    guard tables != nil, !knowsWanted else { return true }
    // Its changes are counted all the same.
    if isInner { ordinal &+= UInt64(announcement.changes) }
    return false
  }
}

extension LogChange.Kind {
  /// The kind of change that a message's first byte stands for.
  init?(tag: UInt8) {
    switch tag {
    case UInt8(ascii: "I"): self = .insert
    case UInt8(ascii: "U"): self = .update
    case UInt8(ascii: "D"): self = .delete
    case UInt8(ascii: "T"): self = .truncate
    case UInt8(ascii: "M"): self = .message
    default: return nil
    }
  }
}
