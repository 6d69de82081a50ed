package import PGOutput

/// Decides for each message of a protocol-1 stream whether it goes to the log.
///
/// Invariants:
/// - what goes out is whole transactions `B [O] [R Y ...] changes C`, and non-transactional messages between them;
/// - a transaction of our own (our replication origin, or our logical message as its first record) and an empty one
///   leave nothing but their end LSN;
/// - relations first sent inside one of our own transactions are kept for the next that is not ours: the server
///   sends them once a connection (`pgoutput.c maybe_send_schema`).
package struct StreamFramer {
  /// What to do with the message just seen.
  package enum Action: Equatable {
    /// Nothing yet: it is held.
    case hold
    /// Nothing: it is not for the log.
    case drop
    /// Append what is held, if anything, then this message.
    case append
    /// As `append`; it was the commit of a transaction that ends here.
    case commit(end: LSN)
    /// A transaction has ended here that leaves nothing in the log.
    case skip(end: LSN)
  }

  /// A message waiting for the decision on its transaction.
  package struct Held: Equatable {
    package var walStart: UInt64
    package var payload: [UInt8]
  }

  private enum State: Equatable {
    case outside
    /// B was seen, and perhaps O; nothing that shows whose transaction it is.
    case begun(final: UInt64)
    case inside(final: UInt64)
    case own(final: UInt64)
  }

  private let ownOrigin: [UInt8]
  private let ownPrefix: [UInt8]
  private let ownContent: [UInt8]
  private var state = State.outside
  private var relations: [Held] = []

  /// Messages to append before the current one; the caller takes them on `append` and `commit`.
  package private(set) var held: [Held] = []

  /// - Parameters:
  ///   - ownOrigin: the replication origin our writes carry, or what stands before a dot in it.
  ///   - ownPrefix: the prefix of the logical message our transactions begin with where origins are not granted.
  ///   - ownContent: that message's content.
  package init(ownOrigin: String, ownPrefix: String, ownContent: String) {
    self.ownOrigin = Array(ownOrigin.utf8)
    self.ownPrefix = Array(ownPrefix.utf8)
    self.ownContent = Array(ownContent.utf8)
  }

  /// Whether a transaction has begun and not ended.
  package var isInsideTransaction: Bool { state != .outside }

  /// Forgets a connection: its unfinished transaction and its relations.
  package mutating func reset() {
    state = .outside
    held = []
    relations = []
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
    guard let tag = payload.first else { throw violation(walStart, "an empty message") }
    switch tag {
    case UInt8(ascii: "I"), UInt8(ascii: "U"), UInt8(ascii: "D"), UInt8(ascii: "T"):
      return try change(walStart)
    case UInt8(ascii: "B"): return try begin(walStart, payload)
    case UInt8(ascii: "C"): return try commit(walStart, payload)
    case UInt8(ascii: "R"), UInt8(ascii: "Y"):
      if case .own = state {
        relations.append(Held(walStart: walStart, payload: Array(payload)))
        return .drop
      }
      return try change(walStart)
    case UInt8(ascii: "O"): return try origin(walStart, payload)
    case UInt8(ascii: "M"): return try message(walStart, payload)
    case UInt8(ascii: "A"):
      // PostgreSQL 18 sends a stream abort though streaming is off (pgoutput-facts TC25): no such transaction here.
      return .drop
    default:
      throw violation(walStart, "a message of type \(tag), which protocol 1 does not have")
    }
  }

  private mutating func change(_ walStart: UInt64) throws(CaptureError) -> Action {
    switch state {
    case .inside: return .append
    case .own: return .drop
    case .begun(let final):
      state = .inside(final: final)
      held.append(contentsOf: relations)
      relations.removeAll()
      return .append
    case .outside: throw violation(walStart, "a change outside a transaction")
    }
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
    case .begun(let begun), .own(let begun): (final, kept) = (begun, false)
    case .outside: throw violation(walStart, "a commit outside a transaction")
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
      if isOwn(origin: payload[9..<(payload.count - 1)]) {
        state = .own(final: final)
        held.removeAll(keepingCapacity: true)
        return .drop
      }
      held.append(Held(walStart: walStart, payload: Array(payload)))
      return .hold
    }
  }

  /// `M`: flags, LSN, prefix, length, content.
  private mutating func message(
    _ walStart: UInt64, _ payload: UnsafeRawBufferPointer
  ) throws(CaptureError) -> Action {
    guard payload.count >= 15 else {
      throw violation(walStart, "a logical message of \(payload.count) bytes")
    }
    guard payload[1] & 1 == 1 else { return state == .outside ? .append : try change(walStart) }
    if case .begun(let final) = state, isOwn(message: payload) {
      state = .own(final: final)
      held.removeAll(keepingCapacity: true)
      return .drop
    }
    return try change(walStart)
  }

  /// `crossfade_SLOT`, or that and a dot: the backfill's and the quarantine's on 13. No slot's name has a dot.
  private func isOwn(origin name: Slice<UnsafeRawBufferPointer>) -> Bool {
    let rest = name.dropFirst(ownOrigin.count)
    return name.starts(with: ownOrigin) && (rest.isEmpty || rest.first == UInt8(ascii: "."))
  }

  private func isOwn(message payload: UnsafeRawBufferPointer) -> Bool {
    let expected = ownPrefix.count + 1 + 4 + ownContent.count
    guard payload.count == 10 + expected else { return false }
    return payload[10..<(10 + ownPrefix.count)].elementsEqual(ownPrefix)
      && payload[10 + ownPrefix.count] == 0
      && payload[(payload.count - ownContent.count)...].elementsEqual(ownContent)
  }

  private func violation(_ walStart: UInt64, _ what: String) -> CaptureError {
    .protocolViolation(walStart: LSN(rawValue: walStart), what: what)
  }
}

extension UnsafeRawBufferPointer {
  /// Eight bytes in network order; the caller has checked the length.
  fileprivate func bigEndian(at offset: Int) -> UInt64 {
    UInt64(bigEndian: loadUnaligned(fromByteOffset: offset, as: UInt64.self))
  }
}
