import PGOutput

// What records change, and which of it is wanted.
extension UnitCursor {
  /// The change that a record is; nil when it is not wanted.
  @inline(__always)
  func change(_ kind: LogChange.Kind, _ place: RecordPlace, _ number: UInt64) throws(ChangeLogError)
    -> LogChange?
  {
    switch kind {
    case .insert, .update, .delete:
      guard place.count >= 5 else {
        throw record(place).malformed("the message ends within its relation id")
      }
      let id = RelationID(rawValue: bytes.bigEndian(at: place.start + 1))
      let table: DescribedTable
      if let lastTable, lastTable.relation.id == id {
        table = lastTable
      } else {
        table = try described(id, place)
      }
      guard table.isWanted else { return nil }
      if let keys = selection.keys, try !keys.match(row(place, table), in: bytes, table) { return nil }
      guard let head = open else { return nil }
      return LogChange(
        kind: kind, transaction: head, ordinal: number, table: table, emptied: nil, record: record(place))
    case .truncate: return try truncation(place, number)
    case .message:
      guard let head = open else { return nil }
      guard isForAll || isWantedMessage(place) else { return nil }
      return LogChange(
        kind: .message, transaction: head, ordinal: number, table: nil, emptied: nil, record: record(place))
    }
  }

  /// A message outside of a transaction, where it is wanted.
  func message(_ record: StoredRecord, _ head: LogTransaction.Head) -> LogChange? {
    guard isForAll else { return nil }
    return LogChange(kind: .message, transaction: head, ordinal: 0, table: nil, emptied: nil, record: record)
  }

  /// Whether a message of a transaction has the prefix that is asked for: a tag, flags, an LSN, the prefix, NUL.
  private func isWantedMessage(_ place: RecordPlace) -> Bool {
    guard let prefix = selection.messages, place.count - 10 > prefix.count else { return false }
    let start = place.start + 10
    return bytes[place.start + 1] & 1 == 1 && bytes[start + prefix.count] == 0
      && bytes[start..<(start + prefix.count)].elementsEqual(prefix)
  }

  private func truncation(_ place: RecordPlace, _ number: UInt64) throws(ChangeLogError) -> LogChange? {
    let record = record(place)
    let ids = try record.withMessage { message throws(ChangeLogError) -> [RelationID] in
      guard case .truncate(let truncate) = message else { return [] }
      return truncate.relations
    }
    var emptied: [DescribedTable] = []
    for id in ids { emptied.append(try described(id, place)) }
    guard let head = open, isForAll || emptied.contains(where: \.isWanted) else { return nil }
    return LogChange(
      kind: .truncate, transaction: head, ordinal: number, table: emptied.first,
      emptied: emptied.map(\.relation), record: record)
  }

  private func row(_ place: RecordPlace, _ table: DescribedTable) throws(ChangeLogError) -> RowBytes {
    guard let row = RowBytes(bytes, place) else { throw record(place).malformedRow() }
    if let reason = table.mismatch(row) { throw record(place).malformed(reason) }
    return row
  }

  private func described(_ id: RelationID, _ place: RecordPlace) throws(ChangeLogError) -> DescribedTable {
    guard let table = tables[id] else {
      throw record(place).malformed("it changes table \(id), which nothing before it describes")
    }
    lastTable = table
    return table
  }

  /// Takes note of a Relation or Type.
  func note(_ place: RecordPlace) throws(ChangeLogError) {
    let record = record(place)
    try record.withUnsafePayload { payload throws(ChangeLogError) in known.note(payload) }
    guard place.tag == UInt8(ascii: "R") else { return }
    let relation = try record.withMessage { message throws(ChangeLogError) -> Relation? in
      guard case .relation(let relation) = message else { return nil }
      return relation
    }
    guard let relation else { return }
    tables[relation.id] = DescribedTable(relation, selection)
    lastTable = nil
    knowsWanted = tables.values.contains(where: \.isWanted)
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
