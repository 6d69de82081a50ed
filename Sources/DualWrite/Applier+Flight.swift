import ChangeLog
import FailPoints
import Logging
import PGOutput
import Postgres

/// A batch on its way: sent, waited for, tried again, taken apart.
extension Applier {
  /// What has gathered, with what can be written of what is intended.
  mutating func nextBatch() -> Batch {
    var batch = builder.take(spare.take() ?? Batch(capacity: plan.batch))
    path.append(batch)
    guard builder.standing == .forward else {
      let lines = builder.book.lines(read: read, most: plan.batch)
      let waiting = builder.book.earliestWaiting
      batch.path = path.before(waiting)
      batch.course = CourseFlight(
        lines: lines, earliestWaiting: waiting, derives: builder.standing == .both)
      return batch
    }
    leaveOutHeld(&batch)
    return batch
  }

  mutating func send(_ batch: Batch) throws(DualWriteError) {
    if let whole = batch.path.end { end = max(end, whole) }
    do { try session.start(batch, end: end) } catch { throw .postgres(error) }
  }

  /// Waits for a batch; tries it again, waits until it is settled or takes it apart, as the answer says.
  mutating func collect(_ batch: inout Batch) throws(DualWriteError) {
    var backoff = Backoff(firstMilliseconds: 2, lastMilliseconds: 1000)
    var resend = false
    while true {
      do throws(PostgresError) {
        if resend { try session.start(batch, end: end) }
        resend = true
        switch try session.finish(batch) {
        case .committed(let rows):
          FailPoint.pass(.committedBeforeConfirm)
          committed(batch, end: end, rows: rows)
          return
        case .landed(let landing):
          FailPoint.pass(.committedBeforeConfirm)
          land(batch, landing)
          return
        case .unsettled: try settle(batch)
        }
      } catch {
        try recover(from: error, &batch, &backoff)
      }
    }
  }

  private mutating func recover(
    from error: PostgresError, _ batch: inout Batch, _ backoff: inout Backoff
  ) throws(DualWriteError) {
    guard case .server(let cause) = error, !error.isConnectionGone else { throw .postgres(error) }
    if cause.sqlState == .lockNotAvailable, try setAside(&batch) { return }
    if error.isPassing {
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
      let count = try isolate(&batch)
      logger.error("rows were put in quarantine", metadata: ["count": "\(count)", "error": "\(error)"])
    } catch {
      throw .postgres(error)
    }
  }

  /// Takes what the server refuses out of a batch. The rest is applied again with the checkpoint: nothing is left to write for it.
  private mutating func isolate(_ batch: inout Batch) throws(PostgresError) -> Int {
    let poison = Poison(session: session, plan: plan)
    guard var course = batch.course else {
      let refused = try poison.isolate(batch, position: end)
      for key in refused { batch.keys.update(key) { $0.leaveAlone() } }
      return refused.count
    }
    let refused = try poison.isolate(course.lines)
    for place in refused {
      let line = course.lines[place]
      builder.book.drop(line)
      // It has just come into quarantine: this batch does not release it.
      if let index = line.key.withUnsafeBytes({ batch.keys.find($0) }) {
        batch.keys.update(index) { $0.leaveAlone() }
      }
    }
    course.lines = course.lines.indices.filter { !refused.contains($0) }.map { course.lines[$0] }
    batch.course = course
    return refused.count
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

  /// What was not written stays in the book; what the server cannot write goes into quarantine with the next batch.
  private mutating func land(_ batch: Batch, _ landing: CourseLanding) {
    let lines = batch.course?.lines ?? []
    for line in builder.book.land(lines, open: landing.open, seen: landing.seen) {
      builder.refuse(
        line.key,
        Unmapped(
          status: nil, position: line.position,
          refusal: line.way == .forward ? .unknownStatus : .unknownState,
          isFinal: true))
    }
    committed(batch, end: landing.end, rows: landing.rows)
  }

  private mutating func committed(_ batch: Batch, end: LSN, rows: Int) {
    committedEnd = end
    path.passed(end)
    let pending = builder.book.count
    let isHeld = !builder.book.held.isEmpty
    status.update { [direction = session.direction] status in
      status.phase = .applying
      status.checkpoint = end
      status.applied = max(status.applied, end)
      status.direction = direction
      status.pending = pending
      if !isHeld { status.held = nil }
      status.transactions &+= UInt64(batch.transactions)
      status.changes &+= UInt64(batch.changes)
      status.batches &+= 1
      status.rows &+= UInt64(max(0, rows))
    }
  }
}
