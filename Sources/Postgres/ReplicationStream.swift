import CLibPQ
import Glibc
public import PGOutput

/// What comes out of a replication stream.
public enum ReplicationEvent {
  /// A message of the output plugin. The payload stands until the stream is asked again.
  case message(walStart: UInt64, payload: UnsafeRawBufferPointer)
  /// The server's keepalive: how far it has sent, and whether it wants an answer at once.
  case keepalive(sent: LSN, sendTime: Int64, replyRequested: Bool)
  /// Nothing more without waiting.
  case wouldBlock
  /// The server has ended the stream.
  case ended
}

/// A running `START_REPLICATION` in COPY BOTH mode (protocol.sgml, "Streaming Replication Protocol").
///
/// One thread reads and writes it. A message is lent, not copied: libpq's buffer lives until the next call.
public final class ReplicationStream {
  private let connection: Connection
  private var held: UnsafeMutablePointer<CChar>?

  /// Starts streaming from `start`; `0/0` is the slot's confirmed position. The server silently goes on from the
  /// confirmed position when `start` lies before it (`logical.c CreateDecodingContext`): compare first.
  public init(
    on connection: Connection, slot: String, start: LSN, options: PgoutputOptions
  ) throws(PostgresError) {
    self.connection = connection
    let purpose = "start replication from slot \(slot)"
    let command = "START_REPLICATION SLOT \(SQLText.identifier(slot)) LOGICAL \(start) (\(options.sql))"
    guard PQsendQuery(connection.handle, command) == 1 else {
      throw .connectionLost(purpose: purpose, message: connection.message)
    }
    try connection.flush(purpose: purpose, deadline: nil)
    guard let result = try connection.nextResult(purpose: purpose, deadline: nil) else {
      throw .connectionLost(purpose: purpose, message: connection.message)
    }
    guard result.status == PGRES_COPY_BOTH else {
      // The session stands; the end of the statement is taken in, so that it can be used again.
      let end = Deadline.after(milliseconds: 10_000)
      while try connection.nextResult(purpose: purpose, deadline: end) != nil {}
      throw .server(result.error(purpose: purpose))
    }
  }

  deinit {
    PQfreemem(held)
  }

  /// The next event that is there without waiting for the socket.
  public func next() throws(PostgresError) -> ReplicationEvent {
    if let held {
      PQfreemem(held)
      self.held = nil
    }
    while true {
      let length = PQgetCopyData(connection.handle, &held, 1)
      // Said before anything that comes after what was left out: nothing later is taken.
      if let missing = connection.notices.publicationMissing { throw .server(missing) }
      guard length > 0, let bytes = held else {
        if length == 0 { return .wouldBlock }
        if length == -1 { return try ended() }
        throw .connectionLost(purpose: "read the stream", message: connection.message)
      }
      let raw = UnsafeRawBufferPointer(start: bytes, count: Int(length))
      switch raw[0] {
      case UInt8(ascii: "w") where raw.count >= 25:
        let walStart = UInt64(bigEndian: raw.loadUnaligned(fromByteOffset: 1, as: UInt64.self))
        return .message(walStart: walStart, payload: UnsafeRawBufferPointer(rebasing: raw[25...]))
      case UInt8(ascii: "k") where raw.count >= 18:
        let sent = UInt64(bigEndian: raw.loadUnaligned(fromByteOffset: 1, as: UInt64.self))
        let time = Int64(bigEndian: raw.loadUnaligned(fromByteOffset: 9, as: Int64.self))
        return .keepalive(sent: LSN(rawValue: sent), sendTime: time, replyRequested: raw[17] != 0)
      default:
        throw .unexpected(
          purpose: "read the stream", what: "a copy message of kind \(raw[0]) with \(raw.count) bytes")
      }
    }
  }

  /// Takes in what the socket holds, without waiting.
  public func consume() throws(PostgresError) {
    guard PQconsumeInput(connection.handle) == 1 else {
      throw .connectionLost(purpose: "read the stream", message: connection.message)
    }
  }

  /// What ended a wait.
  public enum Wake {
    /// The socket has something.
    case readable
    /// The interrupt was nudged or stopped.
    case interrupted
    /// The time is up.
    case timedOut
  }

  /// Waits for the socket, a nudge or the time.
  public func wait(milliseconds: Int) -> Wake {
    switch connection.wait(
      read: true, write: false, deadline: .after(milliseconds: milliseconds), wakeOnNudge: true)
    {
    case .ready: return .readable
    case .interrupted: return .interrupted
    case .timedOut: return .timedOut
    }
  }

  /// Sends a standby status update (protocol.sgml): positions up to which all is written, flushed and applied.
  /// Only `flushed` moves the slot. The caller sees to it that they never go back.
  public func sendStatus(
    written: LSN, flushed: LSN, applied: LSN, replyRequested: Bool = false
  ) throws(PostgresError) {
    var message = [UInt8]()
    message.reserveCapacity(34)
    message.append(UInt8(ascii: "r"))
    for value in [written.rawValue, flushed.rawValue, applied.rawValue, UInt64(bitPattern: Self.clock())] {
      withUnsafeBytes(of: value.bigEndian) { message.append(contentsOf: $0) }
    }
    message.append(replyRequested ? 1 : 0)
    let purpose = "report progress to the server"
    let put = message.withUnsafeBytes { raw in
      PQputCopyData(connection.handle, raw.baseAddress?.assumingMemoryBound(to: CChar.self), Int32(raw.count))
    }
    guard put == 1 else { throw .connectionLost(purpose: purpose, message: connection.message) }
    // A server that does not read for ten seconds while it is sent 34 bytes is gone.
    try connection.flush(purpose: purpose, deadline: .after(milliseconds: 10_000), endingInOrder: true)
  }

  /// Ends the stream in order: CopyDone, then what the server still had under way is drained.
  public func finish(timeoutMilliseconds: Int) throws(PostgresError) {
    let purpose = "end the stream"
    let deadline = Deadline.after(milliseconds: timeoutMilliseconds)
    guard PQputCopyEnd(connection.handle, nil) == 1 else {
      throw .connectionLost(purpose: purpose, message: connection.message)
    }
    try connection.flush(purpose: purpose, deadline: deadline, endingInOrder: true)
    while true {
      switch try next() {
      case .ended: return
      case .wouldBlock:
        guard !deadline.hasPassed else {
          throw .timedOut(purpose: purpose, milliseconds: timeoutMilliseconds)
        }
        _ = connection.wait(read: true, write: false, deadline: deadline, endingInOrder: true)
        try consume()
      default: continue
      }
    }
  }

  /// After the copy's end: an error of the server, or an orderly end.
  private func ended() throws(PostgresError) -> ReplicationEvent {
    while let result = try connection.nextResult(
      purpose: "read the stream", deadline: .after(milliseconds: 10_000), endingInOrder: true)
    {
      if result.status == PGRES_FATAL_ERROR {
        throw .server(result.error(purpose: "read the stream"))
      }
      if result.status == PGRES_COPY_IN || result.status == PGRES_COPY_BOTH { break }
    }
    return .ended
  }

  /// Microseconds since 2000-01-01, as the protocol counts.
  static func clock() -> Int64 {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return (Int64(time.tv_sec) - 946_684_800) * 1_000_000 + Int64(time.tv_nsec) / 1000
  }
}
