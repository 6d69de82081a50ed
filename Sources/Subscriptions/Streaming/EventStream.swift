import ChangeLog
import Hummingbird
import Logging

/// Sends a subscriber its events, as fast as it takes them: what is not taken is not read.
struct EventStream: Sendable {
  let hub: EventHub
  let session: EventSession
  let entry: Int
  let peer: Peer
  /// How long the log's end is waited at; nil: for ever.
  let wait: Duration?
  let logger: Logger

  /// Sends until nothing more is to come, the server ends, or the subscriber goes.
  func run(_ writer: inout any ResponseBodyWriter) async throws {
    defer { hub.book.remove(entry) }
    peer.whenLeaving { [bell = hub.bell] in bell.wake() }
    var beat = Heartbeat(hub.heartbeat)
    var waitsUntil = wait.map { ContinuousClock.now + $0 }
    while true {
      let seen = hub.bell.rings
      let read = await hub.pool.run { [session] in session.read() }
      let batch: EventSession.Batch
      switch read {
      case .success(let found): batch = found
      case .failure(let error):
        // The stream breaks off, so that nobody takes it for the end.
        logger.error("a subscriber's log cannot be read", metadata: ["error": "\(error)"])
        throw error
      }
      try await send(batch.bytes, batch.position, batch.events, &beat, &writer)
      if batch.isLast || hub.bell.isOver { break }
      // A filter may pass over more than is read in one go, and for longer than anybody waits.
      try await keepAlive(batch.position, &beat, &writer)
      guard batch.isAtEnd else { continue }
      // Who has left is given what there was: a client may close its side as soon as it has asked.
      if peer.hasLeft { break }
      if batch.events > 0, let wait { waitsUntil = .now + wait }
      if try await !more(after: seen, until: waitsUntil, batch.position, &beat, &writer) { break }
    }
    try await send(await hub.pool.run { [session] in session.end() }, nil, 0, &beat, &writer)
    try await writer.finish(nil)
  }

  /// Waits at the log's end; false when that is over.
  private func more(
    after seen: UInt64, until end: ContinuousClock.Instant?, _ position: Position, _ beat: inout Heartbeat,
    _ writer: inout any ResponseBodyWriter
  ) async throws -> Bool {
    while true {
      if hub.bell.isOver || peer.hasLeft { return false }
      try Task.checkCancellation()
      if hub.bell.rings != seen { return true }
      if let end, .now >= end { return false }
      await hub.bell.wait(after: seen, until: end.map { min($0, beat.due) } ?? beat.due) { [peer] in
        peer.hasLeft
      }
      if !hub.bell.isOver { try await keepAlive(position, &beat, &writer) }
    }
  }

  private func keepAlive(
    _ position: Position, _ beat: inout Heartbeat, _ writer: inout any ResponseBodyWriter
  ) async throws {
    guard beat.isDue() else { return }
    try await send(await hub.pool.run { [session] in session.heartbeat() }, position, 0, &beat, &writer)
  }

  private func send(
    _ bytes: [UInt8], _ position: Position?, _ events: Int, _ beat: inout Heartbeat,
    _ writer: inout any ResponseBodyWriter
  ) async throws {
    if !bytes.isEmpty {
      hub.book.sending(entry)
      try await writer.write(ByteBuffer(bytes: bytes))
      beat.sent()
    }
    if let position { hub.book.sent(entry, position: position, events: events) }
  }
}
