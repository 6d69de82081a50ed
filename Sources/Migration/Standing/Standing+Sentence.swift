import Postgres

extension Standing {
  /// What is going on and what it waits for, in one sentence without its full stop.
  public var sentence: String {
    if let trouble { return trouble }
    let blocked = (server?.quarantined ?? 0) > 0 ? "; rows in quarantine block the cutover" : ""
    guard log.oldestUnapplied == nil else {
      return "applying what is logged\(blocked)"
    }
    return "everything logged is applied; waiting for the next change\(blocked)"
  }

  /// What keeps it from moving; nil when nothing does.
  private var trouble: String? {
    if let stopped { return stopped }
    if let process, let waits = process.captureWaits {
      return "capture is \(process.capturePhase), waiting for \(waits)"
    }
    if let process, let waits = process.dualWriteWaits {
      return "the dual-write is \(process.dualWritePhase), waiting for \(waits)"
    }
    if let process, process.capturePhase == "starting" { return "capture is starting" }
    if let process, process.dualWritePhase == "starting" { return "the dual-write is starting" }
    if let outage { return "the server cannot be asked: \(outage)" }
    return nil
  }

  private var stopped: String? {
    let slot = server?.slot
    if let server, slot == nil, server.checkpoint != nil || log.summary != nil {
      return "the slot is gone, though capture has begun: `crossfade check` says more"
    }
    if let slot, slot.isLost {
      return
        "the slot is lost (\(slot.invalidationReason ?? "its WAL was removed")): `crossfade reset` declares the gap"
    }
    guard let process else {
      return log.summary == nil
        ? "nothing is captured yet: `crossfade expand`, then start `crossfade run`"
        : "`crossfade run` is not running"
    }
    guard process.isAlive else {
      let ended =
        process.failure.map { "it gave up: \($0)" }
        ?? (process.capturePhase == "stopped" ? "it was stopped in order" : "it was killed")
      return
        "`crossfade run` is not running: process \(process.pid) has ended \(Self.ago(process.age)); \(ended)"
    }
    guard process.isCurrent else {
      return
        "process \(process.pid) has said nothing for \(Int(process.age)) s: it is stopped, stuck or not ours"
    }
    return nil
  }

  private static func ago(_ seconds: Double) -> String {
    let whole = Int64(max(0, min(seconds, 1e12)))
    switch whole {
    case ..<120: return "\(whole) s ago"
    case ..<7200: return "\(whole / 60) min ago"
    case ..<172_800: return "\(whole / 3600) h ago"
    default: return "\(whole / 86_400) days ago"
    }
  }
}
