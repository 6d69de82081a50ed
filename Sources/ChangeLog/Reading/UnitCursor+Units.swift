import PGOutput

// Units begin.
extension UnitCursor {
  /// Opens the transaction whose Begin this is.
  func begin(_ place: RecordPlace) throws(ChangeLogError) {
    let record = record(place)
    // The tag, final LSN, time and number (`logicalrep_write_begin`): nothing in them can be wrong but their length.
    guard place.count == 21 else { throw record.malformed("a Begin of \(place.count) bytes, not 21") }
    let commit: UInt64 = bytes.bigEndian(at: place.start + 1)
    let time: Int64 = bytes.bigEndian(at: place.start + 9)
    let xid: UInt32 = bytes.bigEndian(at: place.start + 17)
    let found = try endAhead()
    let end = if let found { found } else { try reader.endOfOpenTransaction() }
    open = LogTransaction.Head(
      end: end, commitLSN: LSN(rawValue: commit), commitTime: Timestamp(rawValue: time),
      xid: TransactionID(rawValue: xid))
    first = record
    ordinal = 0
    guard let next = try peek(), next.tag == UInt8(ascii: "O") else { return }
    open?.replicated = try self.record(next).withMessage { message throws(ChangeLogError) in
      guard case .origin(let origin) = message else { return nil }
      return LogTransaction.Replicated(origin)
    }
  }

  /// Opens the unit that a message outside of a transaction is.
  func message(_ place: RecordPlace) throws(ChangeLogError) {
    let record = record(place)
    let (lsn, isTransactional) = try record.withMessage { message throws(ChangeLogError) -> (LSN, Bool) in
      guard case .message(let message) = message else { throw record.malformed("no Message") }
      return (message.lsn, message.isTransactional)
    }
    guard !isTransactional else { throw record.malformed("it belongs in a transaction, and none is open") }
    open = LogTransaction.Head(
      end: LSN(rawValue: lsn.rawValue &+ 1), commitLSN: lsn, commitTime: nil, xid: nil)
    first = record
    ordinal = 0
  }

  /// The end of the transaction whose Begin was taken last, if its Commit stands in the same frame.
  private func endAhead() throws(ChangeLogError) -> LSN? {
    var offset = offset
    while let place = try bytes.record(at: offset) {
      if place.tag == UInt8(ascii: "C"), place.count >= 26 {
        return LSN(rawValue: bytes.bigEndian(at: place.start + 10))
      }
      offset = place.end
    }
    return nil
  }
}
