import ChangeLog
import Derivation
import Logging
import PGOutput
import Postgres

/// The loop of one session: gather, send, gather the next while the target works, collect.
struct Applier {
  let session: TargetSession
  let plan: DualWritePlan
  let reader: LogReader
  let tail: LogTail
  let status: DualWriteStatusBoard
  let interrupt: Interrupt
  let logger: Logger

  var builder: BatchBuilder
  var spare: Batch?
  /// The chunk being taken apart, and where in it.
  var chunk: LogChunk?
  var offset = 0
  /// The end in the checkpoint, as of the last batch sent.
  var end: LSN
  /// What is read and not yet in the checkpoint, in the standings where a row can hold it back.
  var path = CheckpointPath()
  /// As `end`, of what is committed, and what of that is durable.
  var committedEnd: LSN
  var durable = DurableCheckpoint()
  var nextLook = ContinuousClock.now
  var nextLookAtDirection = ContinuousClock.now
  var nextLookAtHeld = ContinuousClock.now
  var queue = HeldQueue()

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
      derive: plan.derive, slot: plan.slot, statuses: StatusSet(map), forms: try session.binaryForms(),
      standing: session.direction.standing, blank: try session.blank(),
      partitionKey: try session.partitionKey(),
      skipThrough: end, capacity: plan.batch)
    builder.isBridged = plan.isBridged
    spare = Batch(capacity: plan.batch)
    try session.beginsWork()
    status.update { [end] status in
      status.phase = .applying
      // Of a server that has lost its last commits it is an earlier one: what came after it is applied again.
      if end < status.checkpoint { status.applied = end }
      status.checkpoint = end
      status.direction = session.direction
      status.pending = 0
      status.held = nil
      status.durableCheckpoint = .invalid
      status.applied = max(status.applied, end)
    }
  }

  mutating func run() throws(DualWriteError) {
    var underWay: Batch?
    while !interrupt.isStopped {
      let waits = underWay == nil && !hasWork
      let closed = tail.isClosed
      let more = try gather(waiting: waits)
      if var batch = underWay.take() {
        try collect(&batch)
        batch.removeAll()
        spare = batch
      }
      try lookWhatIsDurable()
      try lookAtHeld()
      if try turnIfDue() { continue }
      if hasWork {
        try reloadMapIfNeeded()
        let batch = nextBatch()
        try send(batch)
        underWay = batch
      } else if !more {
        noteIdle()
        try lookAtDirection()
        if waits, closed { return }
      }
    }
    if var batch = underWay.take() { try collect(&batch) }
  }

  /// Whether there is something to send.
  var hasWork: Bool {
    if !builder.batch.isEmpty || builder.book.readyCount > 0 { return true }
    if let awaited = builder.book.awaited { return awaited <= read }
    return !path.isEmpty && builder.book.isEmpty && builder.book.held.isEmpty
  }

  /// Everything that committed up to here is read.
  var read: LSN {
    chunk == nil && !builder.isInsideTransaction ? max(builder.reached, reader.position) : builder.reached
  }

  /// Enough has gathered. Few keys may change so often that there is always something more to read: whole transactions are enough, too.
  private var isFull: Bool {
    builder.batch.keys.count >= plan.batch
      || (builder.batch.changes >= 8 * plan.batch && builder.batch.endLSN != nil
        && !builder.isInsideTransaction)
  }

  /// Takes records in until the batch is full or nothing is there. Says whether anything came.
  mutating func gather(waiting: Bool) throws(DualWriteError) -> Bool {
    var any = false
    while !isFull {
      if chunk == nil {
        // What waits for the log to be read on is not told when it is: a watermark makes no chunk.
        let patience: Duration = builder.book.awaited == nil ? restPatience : .milliseconds(5)
        let timeout = waiting && !any ? patience : .zero
        do { chunk = try reader.next(timeout: timeout) } catch { throw .log(error) }
        offset = 0
      }
      guard let current = chunk else { return any }
      any = true
      try takeApart(current)
    }
    return any
  }

  mutating func takeApart(_ current: LogChunk) throws(DualWriteError) {
    var next = offset
    var finished = false
    try current.withUnsafeBytes { (bytes) throws(DualWriteError) in
      var records = LogRecordIterator(bytes, from: offset)
      do throws(ChangeLogError) {
        while !isFull {
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

  var failure: DualWriteError?

  /// Asks, now and then and between two flights, which checkpoint is durable.
  mutating func lookWhatIsDurable() throws(DualWriteError) {
    guard !durable.isSettled(at: committedEnd), ContinuousClock.now >= nextLook else { return }
    nextLook = .now + Self.lookInterval
    let written: (inserted: LSN, flushed: LSN)
    do { written = try session.writtenAhead() } catch { throw .postgres(error) }
    durable.note(committedEnd, inserted: written.inserted, flushed: written.flushed)
    status.update { [durable] status in status.durableCheckpoint = durable.end ?? .invalid }
  }

  /// Nothing is left: what the log says up to its watermark is applied.
  func noteIdle() {
    guard !builder.isInsideTransaction, builder.book.isEmpty, builder.book.held.isEmpty, path.isEmpty else {
      return
    }
    status.update { [read] status in status.applied = max(status.applied, read) }
  }

  /// A status that the map did not know when it was read may be in it by now: the statement that derives looks at the
  /// map as it stands, and a row that it gives a state must not be in quarantine.
  mutating func reloadMapIfNeeded() throws(DualWriteError) {
    guard !builder.batch.unknown.isEmpty else { return }
    builder.use(StatusSet(try session.map()))
    try lookForMisfits()
  }
}
