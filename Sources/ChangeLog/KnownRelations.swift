/// The Relation and Type messages seen so far, the last of each: what a reader must know before the next change.
struct KnownRelations: Hashable {
  private var relations: [UInt32: [UInt8]] = [:]
  private var types: [UInt32: [UInt8]] = [:]

  var isEmpty: Bool { relations.isEmpty && types.isEmpty }

  /// Takes note of a payload if it is an `R` or a `Y`; both carry their oid after the tag.
  mutating func note(_ payload: UnsafeRawBufferPointer) {
    guard payload.count >= 5 else { return }
    switch payload[0] {
    case UInt8(ascii: "R"): relations[payload.bigEndian(at: 1)] = [UInt8](payload)
    case UInt8(ascii: "Y"): types[payload.bigEndian(at: 1)] = [UInt8](payload)
    default: break
    }
  }

  /// Takes note of all records in `bytes`.
  mutating func noteAll(_ bytes: UnsafeRawBufferPointer) throws(ChangeLogError) {
    var records = LogRecordIterator(bytes)
    while let record = try records.next() { note(record.payload) }
  }

  /// Takes note of all records in `bytes`.
  mutating func noteAll(_ bytes: LogBytes) throws(ChangeLogError) {
    try bytes.withUnsafeBytes { bytes throws(ChangeLogError) in try noteAll(bytes) }
  }

  /// The messages as records: types first, each kind by oid; walStart 0.
  func records() -> RecordGroup {
    let group = RecordGroup(capacity: 4 << 10)
    for known in [types, relations] {
      for (_, payload) in known.sorted(by: { $0.key < $1.key }) {
        payload.withUnsafeBytes { group.append(walStart: 0, payload: $0) }
      }
    }
    return group
  }
}
