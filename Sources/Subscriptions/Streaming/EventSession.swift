import ChangeLog
import Derivation
import Events

/// One subscriber's way through the log. It is used by one thread of the pool at a time: hence `@unchecked Sendable`.
final class EventSession: @unchecked Sendable {
  /// What was read in one go.
  struct Batch: Sendable {
    /// What to send.
    var bytes: [UInt8] = []
    /// Events in it.
    var events = 0
    /// Everything up to here is in it, or before it.
    var position: Position
    /// Whether the log's end was reached.
    var isAtEnd = false
    /// Whether nothing more will come: what was asked for is there, or the rest of the log is lost.
    var isLast = false
  }

  private let cursor: EventCursor
  private let source: EventSource
  private let recent: RecentStates
  private let plan: EventPlan
  private var writer: EventWriter
  private let gzip: Gzip?
  private var left: Int
  private var isOver = false

  /// The most bytes of a batch, before they are compressed, and the most changes that are passed over for one.
  private static let batchBytes = 128 << 10
  private static let batchChanges = 20_000
  /// Rows that one who is behind the others remembers for himself: 128 KiB.
  private static let rows = 4_096

  init(
    _ request: EventRequest, source: EventSource, recent: RecentStates, plan: EventPlan, map: StateMap,
    after: Position
  ) {
    self.source = source
    self.recent = recent
    self.plan = plan
    cursor = EventCursor(
      source.log, plan: plan, map: map, after: after, filter: request.filter, follows: true, remembering: 0)
    cursor.recent = recent
    cursor.fresh = source.fresh
    writer = EventWriter(plan, format: request.format, framing: request.framing)
    gzip = request.isCompressed ? Gzip() : nil
    left = request.limit ?? .max
    writer.writeOpening(after)
  }

  /// What stands next, up to a batch.
  func read() -> Result<Batch, ChangeLogError> {
    Result { () throws(ChangeLogError) in
      // The map may have learned a state since.
      if let map = source.map(), map != cursor.map { cursor.map = map }
      if !recent.advance(for: cursor.position, plan: plan, map: cursor.map) {
        cursor.remember(rows: Self.rows)
      }
      var batch = Batch(position: cursor.position)
      var isEnd = false
      while left > 0, writer.bytes.count < Self.batchBytes {
        guard let event = try cursor.next(passing: Self.batchChanges) else {
          isEnd = true
          break
        }
        writer.write(event)
        batch.events += 1
        left -= 1
      }
      batch.isAtEnd = isEnd && cursor.isAtEnd
      batch.isLast = left == 0 || cursor.isOver
      batch.position = cursor.position
      batch.bytes = taken(isLast: batch.isLast)
      return batch
    }
  }

  /// A sign of life.
  func heartbeat() -> [UInt8] {
    writer.writeHeartbeat(cursor.position)
    return taken(isLast: false)
  }

  /// What stands at the very end; empty unless it is compressed.
  func end() -> [UInt8] { isOver ? [] : taken(isLast: true) }

  private func taken(isLast: Bool) -> [UInt8] {
    defer { writer.removeAll() }
    guard let gzip else { return writer.bytes }
    guard !writer.bytes.isEmpty || isLast else { return [] }
    isOver = isOver || isLast
    return gzip.compress(writer.bytes, isLast: isLast)
  }
}
