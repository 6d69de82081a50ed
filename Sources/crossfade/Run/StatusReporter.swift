import Capture
import ChangeLog
import Derivation
import DualWrite
import Foundation
import Logging
import Operations
import PGOutput
import Postgres
import Subscriptions
import Synchronization

/// Says once in a while where the pipeline stands: a log line, and a small file beside the log for `crossfade status`.
final class StatusReporter: Sendable {
  private let pipeline: Pipeline
  private let logger: Logger
  private let interrupt: Interrupt?
  private let worker = Mutex<Worker<Bool>?>(nil)
  private let failure = Mutex<String?>(nil)

  /// Seconds between two log lines while something moves.
  private static let logInterval = 10

  private let subscribers: SubscriberBook?

  init(pipeline: Pipeline, subscribers: SubscriberBook? = nil, logger: Logger) {
    self.pipeline = pipeline
    self.subscribers = subscribers
    self.logger = logger
    interrupt = Interrupt()
  }

  func start() {
    guard let interrupt else { return }
    let worker = Worker<Bool> { [self] in
      var last = (LSN.invalid, LSN.invalid)
      var ticks = 0
      while !interrupt.wait(milliseconds: 1000) {
        writeFile()
        ticks += 1
        guard ticks % Self.logInterval == 0 else { continue }
        let (captured, applied) = (pipeline.capture.status.current, pipeline.dualWrite.status.current)
        guard (captured.logged, applied.applied) != last else { continue }
        last = (captured.logged, applied.applied)
        log(captured, applied)
      }
      writeFile()
      return true
    }
    self.worker.withLock { $0 = worker }
  }

  /// Ends the reports, once the last state is written; with the reason, when it was no orderly stop.
  func stop(_ failure: (any Error)? = nil) async {
    self.failure.withLock { $0 = failure.map { ($0 as? Failure)?.summary ?? "\($0)" } }
    interrupt?.stop()
    _ = await worker.withLock { $0 }?.value
  }

  private func log(_ captured: CaptureStatus, _ applied: DualWriteStatus) {
    logger.info(
      "progress",
      metadata: [
        "sent": "\(captured.sent)", "logged": "\(captured.logged)", "applied": "\(applied.applied)",
        "confirmed": "\(captured.confirmed)", "transactions": "\(captured.transactions)",
        "changes": "\(captured.changes)", "batches": "\(applied.batches)", "rows": "\(applied.rows)",
      ])
  }

  /// Until it has opened the log, another may have it: what he says of himself is not to be overwritten by our refusal. The
  /// log's `lock` names who has it.
  private var isOwn: Bool {
    let directory = pipeline.definition.log.directory
    guard !pipeline.capture.status.current.logged.isValid,
      let lock = try? String(contentsOfFile: directory + "/lock", encoding: .utf8),
      let holder = Int32(lock.prefix { $0.isNumber })
    else { return true }
    return holder == getpid() || !RecordedStatus.isAlive(holder)
  }

  private func writeFile() {
    guard isOwn else { return }
    LiveStatus(
      capture: pipeline.capture.status.current, dualWrite: pipeline.dualWrite.status.current,
      keeper: pipeline.keeper.status, subscribers: subscribers, failure: failure.withLock { $0 }
    ).write(to: pipeline.definition.log.directory)
  }
}
