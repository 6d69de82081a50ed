import Capture
import ChangeLog
import DualWrite
import Migration
import Operations
import PGOutput
import Postgres

/// A standing as text.
struct StatusReport {
  let standing: Standing

  init(_ standing: Standing) { self.standing = standing }

  func text(width: Int?) -> String {
    var table = Table([.text("stage"), .number("position"), .number("behind"), .number("for")])
    for stage in standing.stages {
      table.append([
        stage.name, stage.position.map { "\($0)" } ?? "-",
        stage.bytesBehind.map(HumanFormat.bytes) ?? "-", Self.time(stage.secondsBehind),
      ])
    }
    var lines = ["\(standing.slot): \(standing.sentence)", "", table.rendered(width: width), ""]
    lines += facts.map { "\($0.0.padding(10)) \($0.1)" }
    return lines.joined(separator: "\n")
  }

  private var facts: [(String, String)] {
    var facts: [(String, String)] = []
    if let outage = standing.outage { facts.append(("server", outage)) }
    if let server = standing.server { facts += Self.facts(server, standing.rates) }
    facts += directionFacts
    facts.append(("log", log))
    facts += keepingFacts
    if !standing.log.prepared.isEmpty { facts.append(("prepared", prepared)) }
    if let process = standing.process, process.isAlive, process.openStreams > 0 {
      facts.append(
        (
          "streamed",
          "\(HumanFormat.count(process.openStreams)) in progress, "
            + "\(HumanFormat.bytes(UInt64(clamping: process.spooledBytes))) spooled"
        ))
    }
    if let process = standing.process {
      let state = process.isAlive ? "process \(process.pid)" : "process \(process.pid), which has ended"
      facts.append(
        (
          "run",
          "\(state): \(process.capturePhase), \(process.dualWritePhase); said \(Self.time(process.age)) ago"
        ))
    }
    return facts
  }

  private static func facts(_ server: ServerStanding, _ rates: Standing.Rates?) -> [(String, String)] {
    var facts = [
      ("server", "WAL at \(server.current)" + (rates.map { ", \(HumanFormat.byteRate($0.walBytes))" } ?? ""))
    ]
    if let rates {
      facts.append(
        (
          "applying",
          "\(HumanFormat.rate(rates.transactions)) transactions, \(HumanFormat.rate(rates.changes)) changes"
        ))
    }
    facts.append(("slot", slot(server)))
    if let checkpoint = server.checkpoint {
      facts.append(
        (
          "checkpoint",
          "\(checkpoint.endLSN), moved \(time(server.checkpointAge)) ago; \(HumanFormat.count(checkpoint.transactions)) "
            + "transactions, \(HumanFormat.count(checkpoint.changes)) changes so far"
        ))
    }
    facts.append(("quarantine", quarantine(server)))
    facts += server.quarantineCauses.map { ("mend", $0.sentence) }
    facts.append(("backfill", backfill(server)))
    if let reads = server.reads {
      facts.append(("reads", "\(reads.percent) % use the new column, since \(reads.since ?? "?")"))
    }
    return facts
  }

  private static func slot(_ server: ServerStanding) -> String {
    guard let slot = server.slot else { return "there is none" }
    var text = server.retained.map { "\(HumanFormat.bytes($0)) of WAL retained" } ?? "no WAL retained"
    text += ", wal_status \(slot.walStatus ?? "unknown")"
    text +=
      slot.safeWALSize.map { ", \(HumanFormat.bytes(UInt64(clamping: $0))) left of max_slot_wal_keep_size" }
      ?? ", max_slot_wal_keep_size is unlimited"
    guard let pid = slot.activePID else { return text + "; nobody reads it" }
    return text + "; read by server process \(pid)" + (server.sender.map { " (\($0.application))" } ?? "")
  }

  private static func quarantine(_ server: ServerStanding) -> String {
    guard server.quarantined > 0 else { return "empty" }
    let first = server.firstQuarantined.map { "\($0.key) \($0.status.map { "'\($0)'" } ?? "NULL")" }
    let more = server.quarantined > Int64(first.count) ? ", ..." : ""
    return "\(HumanFormat.count(server.quarantined)) rows: \(first.joined(separator: ", "))\(more)"
  }

  private static func backfill(_ server: ServerStanding) -> String {
    server.backfill.map { BackfillReport($0).standingText } ?? "not begun"
  }

  private var log: String {
    if let trouble = standing.log.trouble { return trouble }
    guard let log = standing.log.summary else { return "there is none" }
    return "\(log.start) to \(log.watermark), \(log.segments) segments, \(HumanFormat.bytes(log.bytes))"
  }

  /// Transactions that wait for COMMIT PREPARED or ROLLBACK PREPARED, the first few by name.
  private var prepared: String {
    let all = standing.log.prepared
    let first = all.prefix(3).map { transaction in
      "'\(transaction.gid)' for \(Self.time(Self.age(transaction.prepareTime, standing.now))) "
        + "(\(HumanFormat.count(transaction.changes)) changes)"
    }
    return "\(HumanFormat.count(all.count)) not settled: " + first.joined(separator: ", ")
      + (all.count > first.count ? ", ..." : "")
  }

  /// Seconds since a moment; 0 when the clocks differ the other way.
  static func age(_ moment: Timestamp, _ now: Timestamp) -> Double {
    max(0, Double(now.rawValue) - Double(moment.rawValue)) / 1e6
  }

  static func time(_ seconds: Double?) -> String {
    guard let seconds, seconds.isFinite, seconds < 1e12 else { return "-" }
    return HumanFormat.duration(.seconds(seconds))
  }
}

extension String {
  fileprivate func padding(_ width: Int) -> String {
    self + String(repeating: " ", count: max(0, width - count))
  }
}
