package import PGOutput

/// Decides what is told to the server, and when.
///
/// Rules (`worker.c send_feedback`, `walsender.c WalSndDone`, `logical.c LogicalConfirmReceivedLocation`):
/// - `flushed` is a position the log holds durably: a commit's end LSN, or a watermark taken outside transactions;
/// - no field ever goes back;
/// - a request is answered at once, and again as soon as what was asked about is durable: a server that shuts down
///   waits until `flushed` equals what it has sent;
/// - without a request a report goes out at least every `interval`.
package struct Feedback: Equatable {
  /// The positions of a standby status update.
  package struct Report: Equatable {
    package var written: LSN
    package var flushed: LSN
    package var applied: LSN
  }

  /// Nanoseconds between reports when nothing asks for one.
  package let interval: UInt64
  /// Nanoseconds between reports while `flushed` moves.
  package let progressInterval: UInt64

  private var received = LSN.invalid
  private var durable = LSN.invalid
  private var applied = LSN.invalid
  private var requested = false
  private var owedUpTo = LSN.invalid
  private var last = Report(written: .invalid, flushed: .invalid, applied: .invalid)
  private var lastTime: UInt64

  package init(
    start: LSN, now: UInt64, interval: UInt64, progressInterval: UInt64 = 1_000_000_000
  ) {
    self.interval = interval
    self.progressInterval = min(progressInterval, interval)
    self.received = start
    self.durable = start
    self.lastTime = now
  }

  /// All up to here has been received.
  package mutating func received(upTo lsn: LSN) { received = max(received, lsn) }

  /// All up to here is durable in the log (and applied, where confirmation waits for that).
  package mutating func durable(upTo lsn: LSN) { durable = max(durable, lsn) }

  /// The dual-write has committed up to here.
  package mutating func applied(upTo lsn: LSN) { applied = max(applied, lsn) }

  /// A keepalive came. With a request, an answer is owed now, and another once all up to `sent` is durable.
  package mutating func keepalive(sent: LSN, replyRequested: Bool) {
    if replyRequested {
      requested = true
      owedUpTo = max(owedUpTo, sent)
    }
  }

  /// Whether the server waits for a position to become durable.
  package var owesDurability: Bool { owedUpTo.isValid && last.flushed < owedUpTo }

  /// The report to send now, if one is due.
  package mutating func report(now: UInt64) -> Report? {
    let since = now &- lastTime
    let owed = owesDurability && durable > last.flushed && durable >= owedUpTo
    let progress = durable > last.flushed && since >= progressInterval
    guard requested || owed || progress || since >= interval else { return nil }
    return reportNow(now)
  }

  /// A report regardless of what is due: at the start and at the end of a stream.
  package mutating func reportNow(_ now: UInt64) -> Report {
    let report = Report(
      written: max(last.written, max(received, durable)), flushed: max(last.flushed, durable),
      applied: max(last.applied, min(applied, max(last.flushed, durable))))
    last = report
    lastTime = now
    requested = false
    if owedUpTo <= report.flushed { owedUpTo = .invalid }
    return report
  }

  /// Nanoseconds until a report is due without anything else happening.
  package func nanosecondsUntilDue(now: UInt64) -> UInt64 {
    let since = now &- lastTime
    let wanted = durable > last.flushed ? progressInterval : interval
    return since >= wanted ? 0 : wanted - since
  }
}
