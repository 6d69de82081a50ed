import PGOutput

// What stands between S and E, or b and P: it goes to the transaction's spool.
extension StreamFramer {
  /// A change, a description or a message inside a block.
  mutating func spool(
    _ walStart: UInt64, _ payload: UnsafeRawBufferPointer, marksOwn: Bool = false, isCorrection: Bool = false
  ) throws(CaptureError) -> Action {
    let idSize = state == .streaming ? 4 : 0
    guard payload.count >= 5 + idSize, var transaction = spooling.take() else {
      throw violation(walStart, "a message of \(payload.count) bytes")
    }
    defer { spooling = transaction }
    if transaction.standing == .undecided {
      transaction.standing = marksOwn ? .own : .foreign
      if marksOwn, transaction.bytes > 0 {
        // A foreign origin stood before our mark.
        let earlier = transaction
        transaction = SpooledTransaction(xid: earlier.xid, walStart: earlier.walStart)
        transaction.standing = .own
        return .change(.discard(earlier.xid))
      }
    }
    let isDescription = payload[0] == UInt8(ascii: "R") || payload[0] == UInt8(ascii: "Y")
    let owner = idSize > 0 ? TransactionID(rawValue: payload.bigEndian(at: 1)) : nil
    if let owner {
      transaction.enter(owner)
    } else if !isDescription, transaction.standing == .foreign {
      complete(&transaction, payload)
    }
    if isDescription { describe(payload, idSize: idSize, in: &transaction) }
    // Counted for our own too, so that a rollback finds its descriptions; of it only corrections are spooled.
    transaction.add(bytes: Self.recordSize(payload.count - idSize), isChange: !isDescription)
    guard transaction.standing == .own else { return .spool(transaction.xid, idSize: idSize) }
    guard isCorrection, owner.map({ $0 == transaction.xid }) ?? true else { return .drop }
    keep(payload.count - idSize, in: &transaction)
    return .spool(transaction.xid, idSize: idSize)
  }

  /// `O` inside a block: it has no transaction id.
  mutating func spoolOrigin(_ payload: UnsafeRawBufferPointer) -> Action {
    guard var transaction = spooling.take() else { return .drop }
    defer { spooling = transaction }
    if transaction.standing == .undecided, mark.isOrigin(payload) {
      let isEmpty = transaction.bytes == 0
      transaction = SpooledTransaction(xid: transaction.xid, walStart: transaction.walStart)
      transaction.standing = .own
      return isEmpty ? .drop : .change(.discard(transaction.xid))
    }
    guard transaction.standing != .own else { return .drop }
    transaction.add(bytes: Self.recordSize(payload.count), isChange: false)
    return .spool(transaction.xid, idSize: 0)
  }

  /// A correction of ours, of so many bytes, goes to the spool; the first behind the origin that says so. Never one of a
  /// subtransaction: we have none, and a rollback to a savepoint cuts nothing out of our own.
  private mutating func keep(_ bytes: Int, in transaction: inout SpooledTransaction) {
    if transaction.corrections == 0 {
      let origin = mark.originRecord
      held.append(Held(walStart: 0, payload: origin))
      transaction.keep(bytes: Self.recordSize(origin.count), isCorrection: false)
    }
    transaction.keep(bytes: Self.recordSize(bytes), isCorrection: true)
  }

  /// In a stream a description counts for that transaction; in a prepared one for the connection, though the log gets
  /// it later, if ever.
  private mutating func describe(
    _ payload: UnsafeRawBufferPointer, idSize: Int, in transaction: inout SpooledTransaction
  ) {
    var bytes = [payload[0]]
    bytes += payload[(1 + idSize)...]
    guard let description = book.describe(bytes) else { return }
    transaction.describe(description)
    if state == .preparing { book.withhold(description) }
  }

  /// A prepared transaction is sent like an ordinary one, without the tables that the connection knows. Its spool must
  /// be understood alone: it may be put into the log by another process.
  private mutating func complete(_ transaction: inout SpooledTransaction, _ payload: UnsafeRawBufferPointer) {
    for relation in Self.relations(of: payload) where !transaction.describes(relation) {
      for description in book.whatDescribes(relation) {
        transaction.describe(description)
        transaction.add(bytes: Self.recordSize(description.payload.count), isChange: false)
        held.append(Held(walStart: 0, payload: description.payload))
      }
    }
  }

  /// The tables that a change, without transaction id, is of.
  private static func relations(of payload: UnsafeRawBufferPointer) -> [UInt32] {
    switch payload[0] {
    case UInt8(ascii: "I"), UInt8(ascii: "U"), UInt8(ascii: "D"): return [payload.bigEndian(at: 1)]
    case UInt8(ascii: "T"):
      // Their number, options, oids.
      return stride(from: 6, through: payload.count - 4, by: 4).map { payload.bigEndian(at: $0) }
    default: return []
    }
  }

  /// A record's bytes in spool and log.
  private static func recordSize(_ payload: Int) -> Int { 12 + payload }
}
