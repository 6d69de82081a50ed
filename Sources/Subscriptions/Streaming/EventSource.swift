public import ChangeLog
public import Derivation
import Events
import Logging
public import PGOutput

/// The events of a slot, as they are served.
public struct EventSource: Sendable {
  /// The log, with its writer's tail.
  public var log: LogSource
  /// The slot's definition.
  public var definition: SlotDefinition
  /// What is known of the map; nil: not yet.
  public var map: @Sendable () -> StateMap?
  /// The map as it stands at a moment or later; asked where a value is not in the one that is known. May block.
  public var fresh: (@Sendable (Timestamp) -> StateMap?)?

  /// A source from its parts.
  public init(
    log: LogSource, definition: SlotDefinition, map: @escaping @Sendable () -> StateMap?,
    fresh: (@Sendable (Timestamp) -> StateMap?)? = nil
  ) {
    self.log = log
    self.definition = definition
    self.map = map
    self.fresh = fresh
  }

  /// What events are made of; nil where the log has not been begun. Reads the log: on a thread that may block.
  func plan() throws(ChangeLogError) -> EventPlan? {
    try log.bounds().map { EventPlan(definition, origin: $0.origin) }
  }
}

/// What serves a slot's events: who waits, who reads, who is being sent what.
final class EventHub: Sendable {
  let source: EventSource
  let recent: RecentStates
  let bell: LogBell
  let pool: ReadPool
  let book: SubscriberBook
  let slot: String
  /// How long a subscriber is sent nothing before it gets a sign of life: proxies, and we, see that somebody is there.
  let heartbeat: Duration

  init(
    slot: String, source: EventSource, book: SubscriberBook, plan: ServePlan, tokens: TokenFile?,
    pool: ReadPool, logger: Logger
  ) {
    self.slot = slot
    heartbeat = plan.heartbeat
    self.source = source
    recent = RecentStates(source.log)
    self.book = book
    self.pool = pool
    let tail = source.log.tail ?? LogTail()
    bell = LogBell(tail) { [lag = plan.subscriberLag] in
      // A token that was taken back ends what it began.
      for entry in tokens.map({ book.dismiss(slot: slot, $0.current) }) ?? [] {
        logger.notice(
          "a subscriber was cut off: its token is not for this slot any more",
          metadata: ["name": "\(entry.name ?? "-")", "slot": "\(slot)", "position": "\(entry.position)"])
      }
      guard let lag, let end = tail.durable?.watermark else { return }
      for entry in book.cut(slot: slot, end: end, limit: lag) {
        logger.warning(
          "a subscriber was cut off: it took nothing, and the log has gone on",
          metadata: ["name": "\(entry.name ?? "-")", "slot": "\(slot)", "position": "\(entry.position)"])
      }
    }
  }
}
