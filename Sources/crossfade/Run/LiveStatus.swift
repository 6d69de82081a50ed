import Capture
import DualWrite
import Foundation
import Operations
import PGOutput
import Postgres
import Subscriptions

/// What a running process says of itself in `status.json` beside its log: what the servers cannot know.
///
/// Written once a second, replaced as a whole; nobody relies on it but `crossfade status`.
struct LiveStatus: Sendable {
  static let fileName = "status.json"

  let capture: CaptureStatus
  let dualWrite: DualWriteStatus
  let keeper: KeeperStatus
  /// Who is being sent events; nil where none are served.
  var subscribers: SubscriberBook?
  /// Why the process ends, when it was not asked to.
  var failure: String?

  func write(to directory: String) {
    let path = directory + "/" + Self.fileName
    // A status that cannot be written is not worth stopping for: `crossfade status` says that it is old.
    guard let file = fopen(path + ".new", "w") else { return }
    fputs(json.compact + "\n", file)
    fclose(file)
    rename(path + ".new", path)
  }

  var json: JSONValue {
    guard case .object(let fields) = stages else { return stages }
    return .object(
      fields + keeper.json + (subscribers.map { $0.json(end: capture.logged) } ?? [])
        + [("failure", failure.map { .string($0) } ?? .null)])
  }

  private var stages: JSONValue {
    [
      "pid": .integer(Int64(getpid())),
      "written_at": .string("\(UTCInstant.now())"),
      "capture": [
        "phase": .string(Self.name(capture.phase)),
        "waiting_for": Self.reason(capture.phase).map { .string($0) } ?? .null,
        "sent": .string("\(capture.sent)"), "received": .string("\(capture.received)"),
        "logged": .string("\(capture.logged)"), "confirmed": .string("\(capture.confirmed)"),
        "transactions": .integer(Int64(clamping: capture.transactions)),
        "changes": .integer(Int64(clamping: capture.changes)),
        "skipped": .integer(Int64(clamping: capture.skipped)),
        "reconnects": .integer(Int64(clamping: capture.reconnects)),
        "open_streams": .integer(Int64(capture.openStreams)),
        "spooled_bytes": .integer(Int64(capture.spooledBytes)),
      ],
      "dual_write": [
        "phase": .string(Self.name(dualWrite.phase)),
        "waiting_for": Self.reason(dualWrite).map { .string($0) } ?? .null,
        "held_rows": .integer(Int64(dualWrite.held?.count ?? 0)),
        "direction": .string(dualWrite.direction.standing.rawValue),
        "pending": .integer(Int64(dualWrite.pending)),
        "applied": .string("\(dualWrite.applied)"), "checkpoint": .string("\(dualWrite.checkpoint)"),
        "transactions": .integer(Int64(clamping: dualWrite.transactions)),
        "changes": .integer(Int64(clamping: dualWrite.changes)),
        "batches": .integer(Int64(clamping: dualWrite.batches)),
        "rows": .integer(Int64(clamping: dualWrite.rows)),
        "retries": .integer(Int64(clamping: dualWrite.retries)),
      ],
    ]
  }

  private static func name(_ phase: CaptureStatus.Phase) -> String {
    switch phase {
    case .starting: "starting"
    case .streaming: "streaming"
    case .reconnecting: "reconnecting"
    case .diskFull: "disk full"
    case .stopped: "stopped"
    }
  }

  private static func reason(_ phase: CaptureStatus.Phase) -> String? {
    switch phase {
    case .reconnecting(let reason, let since): "the source, for \(seconds(since)): \(reason)"
    case .diskFull(let since): "room on the log's disk, for \(seconds(since)); nothing is confirmed meanwhile"
    default: nil
    }
  }

  private static func name(_ phase: DualWriteStatus.Phase) -> String {
    switch phase {
    case .starting: "starting"
    case .applying: "applying"
    case .settling: "settling"
    case .retrying: "retrying"
    case .stopped: "stopped"
    }
  }

  private static func reason(_ status: DualWriteStatus) -> String? {
    switch status.phase {
    case .applying: status.held.map(Self.sentence)
    case .settling(let xid, let since):
      "transaction \(xid) to become visible, for \(seconds(since)): its commit waits, perhaps for a synchronous standby"
    case .retrying(let reason, let since): "the target, for \(seconds(since)): \(reason)"
    default: nil
    }
  }

  private static func sentence(_ held: HeldRows) -> String {
    let rows =
      held.count == 1
      ? "the row with key \(held.key)"
      : "\(HumanFormat.count(held.count)) rows, one with key \(held.key)"
    return
      "\(rows), which \(held.holder ?? "another session") keeps locked, for \(seconds(held.since)); other rows go on, the checkpoint does not"
  }

  private static func seconds(_ since: UInt64) -> String {
    "\((Deadline.now &- since) / 1_000_000_000) s"
  }
}
