import PGOutput

/// Leaves out what a reader has handled already: transactions that end at or before its position.
///
/// A Begin carries its commit's start (`final_lsn`), and a commit starts at or after the end of the one before, so
/// a transaction has been handled exactly when `final_lsn < after`. Once one has not, none after it has.
struct ChunkTrimmer {
  let after: LSN
  /// Whether everything so far has been left out.
  private(set) var isTrimming = true
  /// What the records left out, and the frames before them, say of relations.
  var relations: KnownRelations

  init(after: LSN, relations: KnownRelations) {
    self.after = after
    self.relations = relations
  }

  /// Where in `bytes` the first record to deliver starts; nil when there is none.
  mutating func first(in bytes: UnsafeRawBufferPointer) throws(ChangeLogError) -> Int? {
    guard isTrimming else { return 0 }
    var records = LogRecordIterator(bytes)
    while let record = try records.next() {
      if begins(record.payload) {
        isTrimming = false
        return record.offset
      }
      relations.note(record.payload)
    }
    return nil
  }

  private func begins(_ payload: UnsafeRawBufferPointer) -> Bool {
    guard payload.count >= 10 else { return false }
    switch payload[0] {
    case UInt8(ascii: "B"): return LSN(rawValue: payload.bigEndian(at: 1)) >= after
    case UInt8(ascii: "M") where payload[1] & 1 == 0: return LSN(rawValue: payload.bigEndian(at: 2)) >= after
    default: return false
    }
  }
}
