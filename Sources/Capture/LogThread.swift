import ChangeLog
import FailPoints
import Glibc
import Logging
import PGOutput
import Postgres

/// Writes what has gathered, syncs once, hands it to the readers, says so. Runs on a thread of its own until the feed
/// is closed.
struct LogThread {
  let writer: ChangeLogWriter
  let feed: LogFeed
  let tail: LogTail
  let status: CaptureStatusBoard
  let interrupt: Interrupt
  let logger: Logger

  func run() {
    while let work = feed.take() {
      do {
        try carryOut(work)
      } catch {
        feed.failed(.log(error))
        tail.close()
        return
      }
    }
    tail.close()
  }

  private func carryOut(_ work: LogFeed.Work) throws(ChangeLogError) {
    if let group = work.group {
      FailPoint.pass(.received)
      try untilRoom { () throws(ChangeLogError) in try writer.append(group) }
    }
    if work.discardPartial { try writer.discardPartialTransaction() }
    // Only after the group: the watermark speaks for everything before it.
    if work.watermark.isValid, !writer.isInsideTransaction {
      try untilRoom { () throws(ChangeLogError) in try writer.mark(watermark: work.watermark) }
    }
    FailPoint.pass(.loggedBeforeSync)
    try writer.sync()
    FailPoint.pass(.syncedBeforeConfirm)
    let durable = writer.watermark
    feed.written(durable: durable)
    status.update { $0.logged = max($0.logged, durable) }
  }

  /// A full disk stops the log, not the process: nothing is confirmed meanwhile, and it goes on when there is room.
  private func untilRoom(_ body: () throws(ChangeLogError) -> Void) throws(ChangeLogError) {
    var reported = false
    while true {
      do {
        try body()
        if reported { logger.notice("the disk has room again; capture goes on") }
        return
      } catch {
        guard case .diskFull = error else { throw error }
        feed.full()
        if !reported {
          logger.error(
            "the disk is full; nothing is confirmed until there is room", metadata: ["error": "\(error)"])
          reported = true
        }
        // Told to stop while nothing can be written: what was not logged was not confirmed, and will be sent again.
        if interrupt.isStopped { throw error }
        usleep(500_000)
      }
    }
  }
}
