import Foundation
import Migration
import PGOutput

/// Reads what `LiveStatus` wrote.
struct RecordedStatus: Decodable {
  struct Part: Decodable {
    let phase: String
    let waitingFor: String?
    let sent: String?
    let received: String?
    let confirmed: String?
    let applied: String?
    let openStreams: Int?
    let spooledBytes: Int?
    let pending: Int?

    enum CodingKeys: String, CodingKey {
      case phase, sent, received, confirmed, applied, pending
      case waitingFor = "waiting_for"
      case openStreams = "open_streams"
      case spooledBytes = "spooled_bytes"
    }
  }

  struct Archive: Decodable {
    let through: String?
    let waiting: Int
    let waitingSince: Int64?
    let failing: String?

    enum CodingKeys: String, CodingKey {
      case through, failing
      case waiting = "waiting_segments"
      case waitingSince = "waiting_since"
    }
  }

  struct Retention: Decodable {
    let keepsAll: Bool
    let dropped: Int
    let waitsFor: String?

    enum CodingKeys: String, CodingKey {
      case keepsAll = "keeps_all"
      case dropped = "dropped_segments"
      case waitsFor = "waiting_for"
    }
  }

  struct Subscriber: Decodable {
    let name: String?
    let behind: UInt64
    let stalled: Int64?
    let peer: String?
    let position: String?

    enum CodingKeys: String, CodingKey {
      case name, peer, position
      case behind = "behind_bytes"
      case stalled = "stalled_s"
    }
  }

  let pid: Int32
  let capture: Part
  let dualWrite: Part
  let archive: Archive?
  let retention: Retention?
  let subscribers: [Subscriber]?
  let failure: String?

  enum CodingKeys: String, CodingKey {
    case pid, capture, archive, retention, subscribers, failure
    case dualWrite = "dual_write"
  }

  /// What the process that writes the log in a directory last said; nil when it never said anything readable.
  static func read(directory: String) -> ProcessStanding? {
    let path = directory + "/" + LiveStatus.fileName
    var file = stat()
    guard stat(path, &file) == 0, let data = FileManager.default.contents(atPath: path),
      let recorded = try? JSONDecoder().decode(RecordedStatus.self, from: data), recorded.pid > 0
    else { return nil }
    let written = Double(file.st_mtim.tv_sec) + Double(file.st_mtim.tv_nsec) / 1e9
    var standing = ProcessStanding(
      pid: recorded.pid, isAlive: isAlive(recorded.pid),
      age: max(0, Date().timeIntervalSince1970 - written), capturePhase: recorded.capture.phase,
      captureWaits: recorded.capture.waitingFor, dualWritePhase: recorded.dualWrite.phase,
      dualWriteWaits: recorded.dualWrite.waitingFor, sent: recorded.capture.sent.flatMap { LSN($0) },
      received: recorded.capture.received.flatMap { LSN($0) },
      confirmed: recorded.capture.confirmed.flatMap { LSN($0) },
      applied: recorded.dualWrite.applied.flatMap { LSN($0) },
      openStreams: recorded.capture.openStreams ?? 0, spooledBytes: recorded.capture.spooledBytes ?? 0,
      pending: recorded.dualWrite.pending ?? 0,
      keeping: recorded.keeping, failure: recorded.failure)
    standing.subscribers = (recorded.subscribers ?? []).map {
      SubscriberStanding(
        name: $0.name, behind: $0.behind, stalled: $0.stalled, peer: $0.peer, position: $0.position)
    }
    return standing
  }

  private var keeping: KeepingStanding? {
    retention.map { retention in
      KeepingStanding(
        archive: archive.map {
          .init(
            through: $0.through.flatMap { LSN($0) }, waiting: $0.waiting, waitingSince: $0.waitingSince,
            failing: $0.failing)
        }, keepsAll: retention.keepsAll, dropped: retention.dropped, waitsFor: retention.waitsFor)
    }
  }

  /// Whether a process runs: one that has ended and was not waited for by its parent does not (proc(5), `stat`, state Z).
  static func isAlive(_ pid: Int32) -> Bool {
    guard kill(pid, 0) == 0 || errno == EPERM else { return false }
    guard let stat = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8),
      let name = stat.lastIndex(of: ")")
    else { return true }
    let state = stat[stat.index(after: name)...].first { $0 != " " }
    return state != "Z" && state != "X"
  }
}
