import ChangeLog
import FailPoints
import Glibc
import Logging
import PGOutput
import Postgres

/// Carries out what has gathered, syncs once, hands it to the readers, says so. Runs on a thread of its own until the
/// feed is closed.
struct LogThread {
  let writer: ChangeLogWriter
  let spools: SpoolStore
  let feed: LogFeed
  let tail: LogTail
  let status: CaptureStatusBoard
  let interrupt: Interrupt
  let logger: Logger
  /// How long a full disk is left alone between two tries.
  var patienceMicroseconds: UInt32 = 500_000

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

  /// Does all that gathered, and makes it durable with one sync.
  func carryOut(_ work: LogFeed.Work) throws(ChangeLogError) {
    // Put into the log, to be forgotten once that is durable.
    var arrived: [TransactionID] = []
    for step in work.steps {
      switch step {
      case .log(let group):
        FailPoint.pass(.received)
        try untilRoom { () throws(ChangeLogError) in try writer.append(group) }
      case .spool(let xid, let group):
        spools.append(xid, group)
        try untilRoom { () throws(ChangeLogError) in try spools.flushExcess(xid) }
        FailPoint.pass(.spooled)
      case .spoolStep(let step):
        if let xid = try carryOut(step) { arrived.append(xid) }
      }
    }
    if work.discardPartial {
      try writer.discardPartialTransaction()
      try spools.discardOpen()
    }
    if let timeline = work.timeline {
      try untilRoom { () throws(ChangeLogError) in try writer.advance(timeline: timeline) }
    }
    // Only after the steps: the watermark speaks for everything before it.
    if work.watermark.isValid, !writer.isInsideTransaction {
      try untilRoom { () throws(ChangeLogError) in try writer.mark(watermark: work.watermark) }
    }
    FailPoint.pass(.loggedBeforeSync)
    try writer.sync()
    for xid in arrived { try spools.forgetPrepared(xid) }
    try spools.syncNames()
    FailPoint.pass(.syncedBeforeConfirm)
    let durable = writer.watermark
    feed.written(durable: durable)
    status.update { $0.logged = max($0.logged, durable) }
  }

  /// Gives the prepared transaction that is in the log now and must be forgotten once that is durable.
  private func carryOut(_ step: SpoolStep) throws(ChangeLogError) -> TransactionID? {
    switch step {
    case .discard(let xid): try spools.discard(xid)
    case .cut(let xid, let bytes):
      try untilRoom { () throws(ChangeLogError) in try spools.cut(xid, to: bytes) }
    case .remove(let xid, let ranges):
      try untilRoom { () throws(ChangeLogError) in try spools.remove(ranges, of: xid) }
    case .splice(let xid, let frame):
      try splice(frame) { (take) throws(ChangeLogError) in try spools.read(xid, take) }
      try spools.discard(xid)
    case .prepare(let transaction):
      try untilRoom { () throws(ChangeLogError) in try spools.prepare(transaction) }
      FailPoint.pass(.prepared)
    case .splicePrepared(let transaction, let frame):
      try untilRoom { () throws(ChangeLogError) in try spools.beginCommit(transaction.xid, end: frame.end) }
      try splice(frame) { (take) throws(ChangeLogError) in try spools.readPrepared(transaction.xid, take) }
      return transaction.xid
    case .commitEmpty(let xid, let end):
      try untilRoom { () throws(ChangeLogError) in
        try spools.beginCommit(xid, end: end)
        try writer.mark(watermark: end)
      }
      return xid
    case .forgetPrepared(let xid): try spools.forgetPrepared(xid)
    }
    return nil
  }

  private typealias Take = (UnsafeRawBufferPointer) throws(ChangeLogError) -> Void

  /// Puts a spooled transaction into the log, group by group: a begin, its records, a commit.
  private func splice(
    _ frame: SpoolStep.Frame, _ records: (Take) throws(ChangeLogError) -> Void
  ) throws(ChangeLogError) {
    let group = RecordGroup(capacity: Self.spliceGroup + (256 << 10))
    var unsynced = 0
    func write() throws(ChangeLogError) {
      try untilRoom { () throws(ChangeLogError) in try writer.append(group) }
      FailPoint.pass(.splicing)
      unsynced += group.byteCount
      group.removeAll()
      guard unsynced >= Self.spliceSync else { return }
      unsynced = 0
      try writer.sync()
    }
    frame.begin.withUnsafeBytes { group.append(walStart: frame.beginWALStart, payload: $0) }
    try records { (run) throws(ChangeLogError) in
      try group.append(records: run)
      if group.byteCount >= Self.spliceGroup { try write() }
    }
    frame.commit.withUnsafeBytes { group.append(walStart: frame.end.rawValue, payload: $0) }
    try write()
  }

  /// Bytes of a group of a spliced transaction.
  private static let spliceGroup = 512 << 10
  /// Bytes after which what is written of one is synced, so that the last sync is short.
  private static let spliceSync = 64 << 20

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
        usleep(patienceMicroseconds)
      }
    }
  }
}
