import ChangeLog
import Derivation
import FailPoints
import Glibc
import Logging
import PGOutput
import Postgres

/// The loop of one session: gather, send, gather the next while the target works, collect.
struct Applier {
  private let session: TargetSession
  private let plan: DualWritePlan
  private let reader: LogReader
  private let tail: LogTail
  private let status: DualWriteStatusBoard
  private let interrupt: Interrupt
  private let logger: Logger

  private var builder: BatchBuilder
  private var spare: Batch?
  /// The chunk being taken apart, and where in it.
  private var chunk: LogChunk?
  private var offset = 0
  /// The end in the checkpoint, as of the last batch sent.
  private var end: LSN
  /// As `end`, of what is committed, and what of that is durable.
  private var committedEnd: LSN
  private var durable = DurableCheckpoint()
  private var nextLook = ContinuousClock.now

  /// The time between two looks at what is durable: a round trip each, and none when nothing was committed since.
  private static let lookInterval = Duration.seconds(1)

  init(
    session: TargetSession, plan: DualWritePlan, directory: String, restore: LogRestore?, tail: LogTail,
    status: DualWriteStatusBoard, interrupt: Interrupt, logger: Logger
  ) throws(DualWriteError) {
    self.session = session
    self.plan = plan
    self.tail = tail
    self.status = status
    self.interrupt = interrupt
    self.logger = logger
    end = session.checkpoint.endLSN
    committedEnd = end
    do {
      // A log that was begun anew may end before the checkpoint; what it repeats is skipped.
      let held = tail.durable?.watermark ?? end
      reader = try LogReader(directory: directory, after: min(end, held), tail: tail, restore: restore)
    } catch {
      throw .log(error)
    }
    let map = try session.map()
    builder = BatchBuilder(
      derive: plan.derive, statuses: StatusSet(map), forms: try session.binaryForms(), skipThrough: end,
      capacity: plan.batch)
    spare = Batch(capacity: plan.batch)
    status.update { [end] status in
      status.phase = .applying
      // Of a server that has lost its last commits it is an earlier one: what came after it is applied again.
      if end < status.checkpoint { status.applied = end }
      status.checkpoint = end
      status.durableCheckpoint = .invalid
      status.applied = max(status.applied, end)
    }
  }

  mutating func run() throws(DualWriteError) {
    var underWay: Batch?
    while !interrupt.isStopped {
      let waits = underWay == nil && builder.batch.isEmpty
      let closed = tail.isClosed
      let more = try gather(waiting: waits)
      if var batch = underWay.take() {
        try collect(&batch)
        batch.removeAll()
        spare = batch
      }
      try lookWhatIsDurable()
      if !builder.batch.isEmpty {
        try reloadMapIfNeeded()
        let batch = builder.take(spare.take() ?? Batch(capacity: plan.batch))
        try send(batch)
        underWay = batch
      } else if !more {
        noteIdle()
        if waits, closed { return }
      }
    }
    if var batch = underWay.take() { try collect(&batch) }
  }

  /// Takes records in until the batch is full or nothing is there. Says whether anything came.
  private mutating func gather(waiting: Bool) throws(DualWriteError) -> Bool {
    var any = false
    while builder.batch.keys.count < plan.batch {
      if chunk == nil {
        let timeout: Duration = waiting && !any ? .milliseconds(500) : .zero
        do { chunk = try reader.next(timeout: timeout) } catch { throw .log(error) }
        offset = 0
      }
      guard let current = chunk else { return any }
      any = true
      try takeApart(current)
    }
    return any
  }

  private mutating func takeApart(_ current: LogChunk) throws(DualWriteError) {
    var next = offset
    var finished = false
    try current.withUnsafeBytes { (bytes) throws(DualWriteError) in
      var records = LogRecordIterator(bytes, from: offset)
      do throws(ChangeLogError) {
        while builder.batch.keys.count < plan.batch {
          guard let record = try records.next() else {
            finished = true
            break
          }
          do throws(DualWriteError) {
            try builder.add(record.payload, walStart: record.walStart)
          } catch {
            failure = error
            break
          }
        }
      } catch {
        failure = .log(error)
      }
      next = records.offset
    }
    if let failure { throw failure }
    offset = next
    if finished { chunk = nil }
  }

  private var failure: DualWriteError?

  private mutating func send(_ batch: Batch) throws(DualWriteError) {
    if let whole = batch.endLSN { end = max(end, whole) }
    do { try session.start(batch, end: end) } catch { throw .postgres(error) }
  }

  /// Waits for a batch; tries it again, waits until it is settled or takes it apart, as the answer says.
  private mutating func collect(_ batch: inout Batch) throws(DualWriteError) {
    var backoff = Backoff(firstMilliseconds: 2, lastMilliseconds: 1000)
    var resend = false
    while true {
      do throws(PostgresError) {
        if resend { try session.start(batch, end: end) }
        resend = true
        switch try session.finish(batch) {
        case .committed(let rows):
          FailPoint.pass(.committedBeforeConfirm)
          committed(batch, rows: rows)
          return
        case .unsettled: try settle(batch)
        }
      } catch {
        try recover(from: error, &batch, &backoff)
      }
    }
  }

  private func recover(
    from error: PostgresError, _ batch: inout Batch, _ backoff: inout Backoff
  ) throws(DualWriteError) {
    guard case .server(let cause) = error, !error.isConnectionGone else { throw .postgres(error) }
    if cause.sqlState.isTransient || cause.sqlState == .queryCanceled {
      logger.warning("a batch is tried again", metadata: ["error": "\(error)"])
      status.update { status in
        status.retries &+= 1
        if case .retrying = status.phase { return }
        status.phase = .retrying(reason: "\(error)", since: Deadline.now)
      }
      if interrupt.wait(milliseconds: backoff.next()) {
        throw .postgres(.interrupted(purpose: "apply a batch"))
      }
      return
    }
    if cause.sqlState.rawValue == "21000" { throw .mapUnfit(what: cause.message) }
    guard Poison.isOfRow(cause.sqlState) else { throw .postgres(error) }
    do throws(PostgresError) {
      let refused = try Poison(session: session, plan: plan).isolate(batch, position: end)
      // The others are applied again with the checkpoint: nothing is left to write for them.
      for key in refused { batch.keys.update(key) { $0.leaveAlone() } }
      logger.error(
        "rows were put in quarantine", metadata: ["count": "\(refused.count)", "error": "\(error)"])
    } catch {
      throw .postgres(error)
    }
  }

  /// Waits until every transaction of the batch can be seen.
  private func settle(_ batch: Batch) throws(PostgresError) {
    var backoff = Backoff(firstMilliseconds: 1, lastMilliseconds: 100)
    while let xid = try session.unsettled(batch) {
      status.update { status in
        if case .settling(xid, _) = status.phase { return }
        status.phase = .settling(xid: xid, since: Deadline.now)
      }
      if interrupt.wait(milliseconds: backoff.next()) {
        throw .interrupted(purpose: "wait for transaction \(xid) to become visible")
      }
    }
  }

  private mutating func committed(_ batch: Batch, rows: Int) {
    committedEnd = end
    status.update { [end] status in
      status.phase = .applying
      status.checkpoint = end
      status.applied = max(status.applied, end)
      status.transactions &+= UInt64(batch.transactions)
      status.changes &+= UInt64(batch.changes)
      status.batches &+= 1
      status.rows &+= UInt64(max(0, rows))
    }
  }

  /// Asks, now and then and between two flights, which checkpoint is durable.
  private mutating func lookWhatIsDurable() throws(DualWriteError) {
    guard !durable.isSettled(at: committedEnd), ContinuousClock.now >= nextLook else { return }
    nextLook = .now + Self.lookInterval
    let written: (inserted: LSN, flushed: LSN)
    do { written = try session.writtenAhead() } catch { throw .postgres(error) }
    durable.note(committedEnd, inserted: written.inserted, flushed: written.flushed)
    status.update { [durable] status in status.durableCheckpoint = durable.end ?? .invalid }
  }

  /// Nothing is left: what the log says up to its watermark is applied.
  private func noteIdle() {
    guard !builder.isInsideTransaction else { return }
    status.update { [position = reader.position] status in status.applied = max(status.applied, position) }
  }

  /// A status that the map did not know when it was read may be in it by now: the statement that derives looks at the
  /// map as it stands, and a row that it gives a state must not be in quarantine.
  private mutating func reloadMapIfNeeded() throws(DualWriteError) {
    guard !builder.batch.unknown.isEmpty else { return }
    builder.use(StatusSet(try session.map()))
  }
}
