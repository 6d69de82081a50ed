package import PGOutput

/// Decides for each message of the stream, of whatever protocol, where it goes: to the log, to a spool, or nowhere.
///
/// Invariants:
/// - what goes to the log is whole transactions `B [O] [R Y ...] changes C`, and non-transactional messages between
///   them, in the order of their ends; a streamed or prepared transaction goes to a spool and gets there at its commit;
/// - a transaction of our own (`OwnMark`) and an empty one leave nothing but their end LSN; one of our own with corrections is
///   `B O corrections C` in the log, with our origin, which no other transaction there has;
/// - the log's last description of a table is the connection's whenever a change comes (`RelationBook`).
package struct StreamFramer {
  /// What to do with the message just seen. The messages in `held` go before it, to the same place.
  package enum Action: Equatable {
    /// Nothing yet: it is held.
    case hold
    /// Nothing: it is not for the log.
    case drop
    /// Append it to the log.
    case append
    /// As `append`; it was the commit of a transaction that ends here.
    case commit(end: LSN)
    /// A transaction has ended here that leaves nothing in the log.
    case skip(end: LSN)
    /// Append it to a transaction's spool, without the transaction id of so many bytes after its tag.
    case spool(TransactionID, idSize: Int)
    /// Do this to a spool; the stream stands where it stood.
    case change(SpoolStep)
    /// Do this to a spool; a transaction has ended here, and puts so many changes into the log.
    case settle(SpoolStep, end: LSN, changes: Int)
  }

  /// A message waiting for the decision on its transaction, or one that has to precede the present one.
  package struct Held: Equatable {
    package var walStart: UInt64
    package var payload: [UInt8]
  }

  /// A streamed transaction that ends, and the subtransactions it has records of.
  package struct Unsettled: Equatable {
    package var xid: TransactionID
    package var subtransactions: [TransactionID]
  }

  enum State: Equatable {
    case outside
    /// B was seen, and perhaps O; nothing that shows whose transaction it is.
    case begun(final: UInt64)
    case inside(final: UInt64)
    /// One of ours; `keeps` once a correction of it has gone to the log. Until then `held` is what has to precede that.
    case own(final: UInt64, keeps: Bool)
    /// Between S and E, of the transaction in `spooling`.
    case streaming
    /// Between b and P, of the transaction in `spooling`.
    case preparing
  }

  let mark: OwnMark
  var state = State.outside
  var book = RelationBook()

  /// The transaction whose block is open, in `streaming` and `preparing`.
  var spooling: SpooledTransaction?
  /// The others that have begun to be streamed and have not ended.
  var streamed: [TransactionID: SpooledTransaction] = [:]
  /// Those that are prepared.
  var prepared: [TransactionID: PreparedTransaction] = [:]
  /// What the spools of those hold that were prepared on this connection.
  var preparedDescriptions: [TransactionID: [RelationBook.Description]] = [:]

  /// Whether every prepared transaction that changed something, and is not settled, is in `prepared`.
  let spoolIsComplete: Bool

  /// Messages that go before the current one; the caller takes them on `append`, `commit` and `spool`.
  package internal(set) var held: [Held] = []

  /// - Parameters:
  ///   - ownOrigin: the replication origin our writes carry, or what stands before a dot in it.
  ///   - ownPrefix: the prefix of the logical message our transactions begin with where origins are not granted.
  ///   - ownContent: that message's content.
  ///   - ownCorrections: the prefix of our messages that go to the log; nil where none does.
  ///   - prepared: the prepared transactions whose spools are there.
  ///   - spoolIsComplete: whether those are all that the slot has ever sent and that are not settled.
  package init(
    ownOrigin: String, ownPrefix: String, ownContent: String, ownCorrections: String? = nil,
    prepared: [PreparedTransaction] = [], spoolIsComplete: Bool = false
  ) {
    self.spoolIsComplete = spoolIsComplete
    mark = OwnMark(
      origin: ownOrigin, prefix: ownPrefix, content: ownContent, correction: ownCorrections)
    for transaction in prepared { self.prepared[transaction.xid] = transaction }
  }

  /// Whether a transaction's block has begun and not ended. Streamed transactions may be open all the same: the
  /// server keeps what it needs to send those again, whatever is confirmed.
  package var isInsideTransaction: Bool { state != .outside }

  /// The prepared transactions that wait to be committed or rolled back, the oldest first.
  package var pending: [PreparedTransaction] { prepared.values.sorted { $0.prepareLSN < $1.prepareLSN } }

  /// The streamed transactions that have not ended, and the bytes spooled of them.
  package var openStreams: (count: Int, bytes: Int) {
    streamed.values.reduce((0, 0)) { ($0.0 + 1, $0.1 + $1.bytes) }
  }

  /// Takes the held messages.
  package mutating func takeHeld() -> [Held] {
    defer { held.removeAll(keepingCapacity: true) }
    return held
  }

  /// Looks at one message.
  package mutating func accept(
    walStart: UInt64, payload: UnsafeRawBufferPointer
  ) throws(CaptureError) -> Action {
    guard let tag = payload.first else { return try nameless(walStart) }
    switch tag {
    case UInt8(ascii: "I"), UInt8(ascii: "U"), UInt8(ascii: "D"), UInt8(ascii: "T"):
      if spooling != nil { return try spool(walStart, payload) }
      return try change(walStart)
    case UInt8(ascii: "B"): return try begin(walStart, payload)
    case UInt8(ascii: "C"): return try commit(walStart, payload)
    case UInt8(ascii: "R"), UInt8(ascii: "Y"): return try description(walStart, payload)
    case UInt8(ascii: "O"): return try origin(walStart, payload)
    case UInt8(ascii: "M"): return try message(walStart, payload)
    default: return try control(walStart, payload)
    }
  }

  /// 13 and 14 send a message without a byte where an origin has no name yet: the transaction that makes an origin and
  /// already carries it (`pgoutput.c pgoutput_begin_txn`, `pgoutput_stream_start`).
  private func nameless(_ walStart: UInt64) throws(CaptureError) -> Action {
    switch state {
    case .begun, .streaming: return .drop
    default: throw violation(walStart, "an empty message")
    }
  }

  private mutating func change(_ walStart: UInt64) throws(CaptureError) -> Action {
    switch state {
    case .inside: return .append
    case .own: return .drop
    case .begun(let final):
      state = .inside(final: final)
      if book.owes { held += book.takeOwed().map { Held(walStart: 0, payload: $0) } }
      return .append
    case .outside: throw violation(walStart, "a change outside a transaction")
    case .streaming, .preparing: throw violation(walStart, "a change of no transaction")
    }
  }

  private mutating func description(
    _ walStart: UInt64, _ payload: UnsafeRawBufferPointer
  ) throws(CaptureError) -> Action {
    if spooling != nil { return try spool(walStart, payload) }
    guard let description = book.describe(Array(payload)) else {
      throw violation(walStart, "a description of \(payload.count) bytes")
    }
    if case .own = state {
      book.withhold(description)
      return .drop
    }
    // First, so that an older one of the same table is not owed any more.
    book.log(description)
    return try change(walStart)
  }

  private mutating func begin(
    _ walStart: UInt64, _ payload: UnsafeRawBufferPointer
  ) throws(CaptureError) -> Action {
    guard payload.count == 21 else { throw violation(walStart, "a begin of \(payload.count) bytes") }
    guard state == .outside else { throw violation(walStart, "a begin inside a transaction") }
    state = .begun(final: payload.bigEndian(at: 1))
    held.append(Held(walStart: walStart, payload: Array(payload)))
    return .hold
  }

  private mutating func commit(
    _ walStart: UInt64, _ payload: UnsafeRawBufferPointer
  ) throws(CaptureError) -> Action {
    guard payload.count == 26 else { throw violation(walStart, "a commit of \(payload.count) bytes") }
    let end = LSN(rawValue: payload.bigEndian(at: 10))
    let final: UInt64
    let kept: Bool
    switch state {
    case .inside(let begun): (final, kept) = (begun, true)
    case .own(let begun, let keeps): (final, kept) = (begun, keeps)
    case .begun(let begun): (final, kept) = (begun, false)
    case .outside: throw violation(walStart, "a commit outside a transaction")
    case .streaming, .preparing: throw violation(walStart, "a commit inside another transaction's block")
    }
    guard payload.bigEndian(at: 2) == final else {
      throw violation(
        walStart,
        "a commit at \(LSN(rawValue: payload.bigEndian(at: 2))) of a transaction announced for "
          + "\(LSN(rawValue: final))")
    }
    state = .outside
    if kept { return .commit(end: end) }
    held.removeAll(keepingCapacity: true)
    return .skip(end: end)
  }

  /// `O`: origin commit LSN, name.
  private mutating func origin(
    _ walStart: UInt64, _ payload: UnsafeRawBufferPointer
  ) throws(CaptureError) -> Action {
    guard payload.count >= 10, payload[payload.count - 1] == 0 else {
      throw violation(walStart, "an origin of \(payload.count) bytes")
    }
    switch state {
    case .outside: throw violation(walStart, "an origin outside a transaction")
    case .inside: return .append
    case .own: return .drop
    case .begun(let final):
      if mark.isOrigin(payload) { return enterOwn(final) }
      held.append(Held(walStart: walStart, payload: Array(payload)))
      return .hold
    case .streaming, .preparing: return spoolOrigin(payload)
    }
  }

  /// `M`: [transaction id,] flags, LSN, prefix, length, content.
  private mutating func message(
    _ walStart: UInt64, _ payload: UnsafeRawBufferPointer
  ) throws(CaptureError) -> Action {
    let idSize = state == .streaming ? 4 : 0
    guard payload.count >= 15 + idSize else {
      throw violation(walStart, "a logical message of \(payload.count) bytes")
    }
    let isTransactional = payload[1 + idSize] & 1 == 1
    if spooling != nil {
      return try spool(
        walStart, payload, marksOwn: isTransactional && mark.isMessage(payload, idSize: idSize),
        isCorrection: mark.isCorrection(payload, idSize: idSize))
    }
    guard isTransactional else { return state == .outside ? .append : try change(walStart) }
    switch state {
    case .begun(let final) where mark.isMessage(payload, idSize: 0): return enterOwn(final)
    case .own(let final, _) where mark.isCorrection(payload, idSize: 0):
      state = .own(final: final, keeps: true)
      return .append
    default: return try change(walStart)
    }
  }

  /// The transaction is ours. Its begin is kept for a correction that may come, but no foreign origin.
  private mutating func enterOwn(_ final: UInt64) -> Action {
    state = .own(final: final, keeps: false)
    held = Array(held.prefix(1)) + [Held(walStart: 0, payload: mark.originRecord)]
    return .drop
  }

  func violation(_ walStart: UInt64, _ what: String) -> CaptureError {
    .protocolViolation(walStart: LSN(rawValue: walStart), what: what)
  }
}

extension UnsafeRawBufferPointer {
  /// A number in network order; the caller has checked the length.
  func bigEndian<Number: FixedWidthInteger & BitwiseCopyable>(at offset: Int, as: Number.Type = Number.self)
    -> Number
  {
    Number(bigEndian: loadUnaligned(fromByteOffset: offset, as: Number.self))
  }
}
