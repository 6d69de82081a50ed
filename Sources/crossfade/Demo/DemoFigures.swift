import LocalCluster
import Migration

/// What the demonstration has measured and found, step after step.
struct DemoFigures: Sendable {
  /// What the application saw in a stretch of time.
  struct Window: Sendable, Equatable {
    var transactions = 0
    var p50_us: UInt64 = 0
    var p99_us: UInt64 = 0
    var max_us: UInt64 = 0
  }

  /// The application's row changes, as its audit and the change log tell of them.
  struct LogAudit: Sendable, Equatable {
    /// Changes that the audit has, since all are captured.
    var audited = 0
    /// Of these, how many are in the log exactly as often as in the audit.
    var once = 0
    /// Transactions with a change too few in the log.
    var lost = 0
    /// Transactions with a change too many in the log.
    var surplus = 0
    /// What is damaged.
    var damage: [String] = []
    /// Size of the log's files in bytes.
    var bytes: UInt64 = 0
    var segments = 0
  }

  var alone = Window()
  var during = Window()
  /// The application's errors: each text with its number.
  var applicationErrors: [String: Int] = [:]
  var applicationTransactions = 0
  /// Captured and applied, as the checkpoint counts them.
  var transactions: Int64 = 0
  var changes: Int64 = 0
  var batches: Int64 = 0
  var backfilled: Int64 = 0
  var backfillSeconds = 0.0
  var killed = 0
  var restarts = 0
  var quarantined: Int64 = 0
  var verification: Verification?
  var oracle: OracleReport?
  var log: LogAudit?
  /// How the last `crossfade run` ended; nil when it had to be killed.
  var lastRun: ProcessStatus?

  /// Rows that are wrong by either judge: `crossfade verify`, or the application's audit.
  var mismatches: Int64 {
    Int64(oracle?.findings.reduce(0) { $0 + $1.count } ?? 0) + (verification?.mismatches ?? 0)
  }

  /// Everything that is off, a sentence each; empty when all is well.
  var problems: [String] {
    var problems: [String] = []
    if let verification {
      problems += verification.counts.filter { $0.value > 0 }.sorted { $0.key.rawValue < $1.key.rawValue }
        .map { "verify: \($0.value) rows \($0.key.rawValue)" }
    } else {
      problems.append("the rows were not compared with the map")
    }
    if let oracle {
      problems += oracle.findings.map { "the application's audit: \($0)" }
    } else {
      problems.append("the rows were not compared with the application's audit")
    }
    if let log {
      if log.lost > 0 { problems.append("\(log.lost) transactions lack a change in the change log") }
      if log.surplus > 0 {
        problems.append("\(log.surplus) transactions have a change too many in the change log")
      }
      problems += log.damage.map { "the change log: \($0)" }
    } else {
      problems.append("the change log was not compared with the application's audit")
    }
    if quarantined > 0 { problems.append("\(quarantined) rows are in quarantine") }
    problems += applicationErrors.sorted { $0.key < $1.key }.map {
      "the application, \($0.value) times: \($0.key)"
    }
    if restarts == 0 { problems.append("nothing was killed and restarted") }
    if let lastRun {
      if !lastRun.isSuccess { problems.append("crossfade run, asked to stop, ended with \(lastRun)") }
    } else {
      problems.append("crossfade run did not stop when asked to")
    }
    return problems
  }
}

extension DemoFigures.Window {
  /// What lies between two readings of a traffic's tally.
  init(from earlier: WorkloadTally, to later: WorkloadTally) {
    let latency = later.responseLatency.since(earlier.responseLatency)
    self.init(
      transactions: later.committed - earlier.committed, p50_us: latency.quantile_us(0.5),
      p99_us: latency.quantile_us(0.99), max_us: latency.max_us)
  }
}
