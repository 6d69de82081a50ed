import ChangeLog
import Operations
import PGOutput
import Subscriptions

extension SubscriberBook {
  /// Who is being sent events, as `status.json` and `/v1/slots/SLOT` have it; `end` is how far the log is.
  func json(end: LSN) -> [(String, JSONValue)] {
    let now = ContinuousClock.now
    let entries = entries.map { entry -> JSONValue in
      [
        "name": entry.name.map { .string($0) } ?? .null,
        "peer": entry.peer.map { .string($0) } ?? .null,
        "position": .string("\(entry.position)"),
        "behind_bytes": .unsigned(end.bytes(since: entry.position.endLSN)),
        "events": .unsigned(entry.events),
        "connected_s": .integer((now - entry.since).components.seconds),
        "stalled_s": entry.stalled(at: now).map { .integer($0.components.seconds) } ?? .null,
      ]
    }
    return [
      ("subscribers", .array(entries)), ("subscribers_cut", .unsigned(cuts)),
    ]
  }
}
