import ChangeLog
import Hummingbird
import Logging

/// Sends a subscriber its events, as fast as it takes them: what is not taken is not read.
struct EventStream: Sendable {
  let hub: EventHub
  let session: EventSession
  let entry: Int
  /// How long the log's end is waited at; nil: for ever.
  let wait: Duration?
  let logger: Logger

  /// A sign of life after so long without anything else: proxies, and we, see that somebody is there.
  static let heartbeat = Duration.seconds(10)

  /// Sends until nothing more is to come, the server ends, or the subscriber goes.
  func run(_ writer: inout any ResponseBodyWriter) async throws {
    defer { hub.book.remove(entry) }
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
      try await send(batch.bytes, batch.position, batch.events, &writer)
      if batch.isLast || hub.bell.isOver { break }
      guard batch.isAtEnd else { continue }
      if batch.events > 0, let wait { waitsUntil = .now + wait }
      if try await !more(after: seen, until: waitsUntil, &writer, batch.position) { break }
    }
    try await send(await hub.pool.run { [session] in session.end() }, nil, 0, &writer)
    try await writer.finish(nil)
  }

  /// Waits at the log's end; false when that is over.
  private func more(
    after seen: UInt64, until end: ContinuousClock.Instant?, _ writer: inout any ResponseBodyWriter,
    _ position: Position
  ) async throws -> Bool {
    while true {
      if hub.bell.isOver { return false }
      try Task.checkCancellation()
      if hub.bell.rings != seen { return true }
      let now = ContinuousClock.now
      if let end, now >= end { return false }
      let beat = now + Self.heartbeat
      await hub.bell.wait(after: seen, until: end.map { min($0, beat) } ?? beat)
      guard hub.bell.rings == seen, !hub.bell.isOver, ContinuousClock.now >= beat else { continue }
      try await send(await hub.pool.run { [session] in session.heartbeat() }, position, 0, &writer)
    }
  }

  private func send(
    _ bytes: [UInt8], _ position: Position?, _ events: Int, _ writer: inout any ResponseBodyWriter
  ) async throws {
    if !bytes.isEmpty {
      hub.book.sending(entry)
      try await writer.write(ByteBuffer(bytes: bytes))
    }
    if let position { hub.book.sent(entry, position: position, events: events) }
  }
}
