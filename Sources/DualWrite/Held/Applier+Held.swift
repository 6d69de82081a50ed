import Logging
import PGOutput
import Postgres

/// A row that somebody keeps locked stops itself and the checkpoint, and no other row.
///
/// A flight waits for a lock as long as `lock_timeout` says, once: with all rows that it has written by then locked, too. Then who is
/// locked is looked up (`HeldSQL`), and the flight goes again without. What its holder commits comes by the stream; should it only
/// roll back, nothing will come, so the key is kept and looked at until it is free. After a crash the checkpoint, which is before it,
/// brings it again.
extension Applier {
  /// How long an idle loop waits for the log.
  var restPatience: Duration { builder.book.held.isEmpty ? .milliseconds(500) : Self.heldInterval }

  private static let heldInterval = Duration.milliseconds(50)
  /// So many are looked at at a time: other rows wait meanwhile.
  private static let mostAtOnce = 500

  /// Takes the rows that are locked out of a batch that could not have them. Says whether there were any.
  mutating func setAside(_ batch: inout Batch) throws(DualWriteError) -> Bool {
    guard builder.standing != .rest else { return false }
    let candidates = batch.course.map { $0.lines.map(\.key) } ?? batch.derivedKeys
    guard let locked = try lockedOnes(of: candidates), !locked.isEmpty else { return false }
    let isFirst = builder.book.held.isEmpty
    for key in locked { builder.book.hold(key) }
    if var course = batch.course {
      course.lines.removeAll { builder.book.held.contains($0.key) }
      course.earliestWaiting = builder.book.earliestWaiting
      batch.course = course
      batch.path = path.before(course.earliestWaiting)
    } else {
      leaveOutHeld(&batch)
    }
    // It could take effect only with the checkpoint.
    batch.turn = nil
    nextLookAtHeld = .now + Self.heldInterval
    try note(locked)
    logger.log(
      level: isFirst ? .info : .debug, "rows are locked by somebody else; the others go on",
      metadata: ["count": "\(locked.count)", "holder": "\(status.current.held?.holder ?? "unknown")"])
    return true
  }

  /// Which of the rows are locked; nil where it cannot be known now: a lock on the whole table, which no row is to blame for, stops
  /// this look as well, and somebody may cancel it.
  private func lockedOnes(of keys: [KeyBytes]) throws(DualWriteError) -> [KeyBytes]? {
    guard !keys.isEmpty else { return [] }
    do throws(PostgresError) {
      return try session.locked(keys).map { keys[$0] }
    } catch {
      guard error.isPassing else { throw .postgres(error) }
      return nil
    }
  }

  /// Forward: the batch derives no row that is held, and does not move the checkpoint while there is one.
  mutating func leaveOutHeld(_ batch: inout Batch) {
    let held = builder.book.held
    batch.path = held.isEmpty ? path : CheckpointPath()
    guard !held.isEmpty else { return }
    end = committedEnd
    if held.count <= batch.keys.count {
      for key in held {
        guard let index = key.withUnsafeBytes({ batch.keys.find($0) }) else { continue }
        batch.keys.update(index) { $0.derives = false }
      }
    } else {
      for index in batch.keys.entries.indices where held.contains(batch.keys.key(at: index)) {
        batch.keys.update(index) { $0.derives = false }
      }
    }
  }

  /// Looks, now and then and between two flights, which of the rows that were locked are free; they go with the next.
  mutating func lookAtHeld() throws(DualWriteError) {
    guard !builder.book.held.isEmpty, ContinuousClock.now >= nextLookAtHeld,
      builder.batch.keys.count < plan.batch
    else { return }
    let keys = builder.book.nextHeld(most: min(Self.mostAtOnce, plan.batch))
    let begin = ContinuousClock.now
    let locked = try lockedOnes(of: keys)
    // What is looked at is no part of the work: a tenth of the time at most.
    nextLookAtHeld = .now + max(Self.heldInterval, (.now - begin) * 10)
    guard let locked else { return }
    let stillLocked = Set(locked)
    for key in keys where !stillLocked.contains(key) { release(key) }
    try waitForOne(of: locked)
    try note(locked)
  }

  /// A row that many short transactions lock one after the other is never found free: one must stand in the queue for it.
  private mutating func waitForOne(of keys: [KeyBytes]) throws(DualWriteError) {
    guard let key = queue.next(of: keys, now: .now) else { return }
    let line = builder.book.heldLine(key)
    // In `both` there may be nothing to write to it: then the look that ends it needs no lock.
    if builder.standing == .forward || line != nil {
      do throws(PostgresError) {
        try session.writeAlone(key, line, waitingMilliseconds: HeldQueue.patience(plan.lockTimeout))
      } catch {
        if error.isPassing { return }
        guard case .server = error, !error.isConnectionGone else { throw .postgres(error) }
        // What else is wrong with the row, the next flight finds, and knows what to do.
      }
    }
    queue.succeeded()
    release(key)
  }

  private mutating func release(_ key: KeyBytes) {
    builder.book.release(key)
    guard builder.standing == .forward else { return }
    let index = key.withUnsafeBytes { builder.batch.keys.index(of: $0) }
    builder.batch.keys.update(index) { $0.derives = true }
  }

  private mutating func note(_ locked: [KeyBytes]) throws(DualWriteError) {
    let count = builder.book.held.count
    guard let key = locked.first(where: { builder.book.held.contains($0) }), count > 0 else {
      if count == 0 { status.update { $0.held = nil } }
      return
    }
    let holder: String?
    do throws(PostgresError) {
      holder = try session.holder(of: key)
    } catch {
      guard error.isPassing else { throw .postgres(error) }
      holder = nil
    }
    status.update { status in
      status.held = HeldRows(
        count: count, key: String(decoding: BatchParameters.json(key), as: UTF8.self), holder: holder,
        since: status.held?.since ?? Deadline.now)
    }
  }
}

extension Batch {
  /// The keys of the rows to be derived.
  fileprivate var derivedKeys: [KeyBytes] {
    keys.entries.indices.filter { keys.entries[$0].derives }.map { keys.key(at: $0) }
  }
}
