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

  /// Takes the rows that are locked out of a batch that could not have them. Says whether there were any.
  mutating func setAside(_ batch: inout Batch) throws(DualWriteError) -> Bool {
    let candidates = batch.course.map { $0.lines.map(\.key) } ?? batch.derivedKeys
    let locked: [(place: Int, holder: String?)]
    do throws(PostgresError) {
      locked = try session.locked(candidates)
    } catch {
      // A lock on the whole table, which no row is to blame for, stops this look as well.
      guard error.sqlState == .lockNotAvailable else { throw .postgres(error) }
      return false
    }
    guard !locked.isEmpty else { return false }
    let keys = locked.map { candidates[$0.place] }
    for key in keys { builder.book.hold(key) }
    if var course = batch.course {
      course.lines.removeAll { builder.book.held.contains($0.key) }
      course.earliestWaiting = builder.book.earliestWaiting
      batch.course = course
    } else {
      leaveOutHeld(&batch)
    }
    // It could take effect only with the checkpoint.
    batch.turn = nil
    nextLookAtHeld = .now + Self.heldInterval
    note(keys, locked)
    logger.info(
      "rows are locked by somebody else; the others go on",
      metadata: [
        "count": "\(keys.count)", "holder": "\(locked.lazy.compactMap(\.holder).first ?? "unknown")",
      ])
    return true
  }

  /// Forward: the batch derives no row that is held, and does not move the checkpoint while there is one.
  mutating func leaveOutHeld(_ batch: inout Batch) {
    for key in builder.book.held {
      guard let index = key.withUnsafeBytes({ batch.keys.find($0) }) else { continue }
      batch.keys.update(index) { $0.derives = false }
    }
    batch.path = builder.book.held.isEmpty ? path : CheckpointPath()
    if !builder.book.held.isEmpty { end = committedEnd }
  }

  /// Looks, now and then and between two flights, which of the rows that were locked are free; they go with the next.
  mutating func lookAtHeld() throws(DualWriteError) {
    guard !builder.book.held.isEmpty, ContinuousClock.now >= nextLookAtHeld else { return }
    let keys = Array(builder.book.held)
    let locked: [(place: Int, holder: String?)]
    do throws(PostgresError) {
      locked = try session.locked(keys)
    } catch {
      nextLookAtHeld = .now + Self.heldInterval
      if error.sqlState?.isTransient == true { return }
      throw .postgres(error)
    }
    nextLookAtHeld = .now + Self.heldInterval
    var isLocked = [Bool](repeating: false, count: keys.count)
    for (place, _) in locked { isLocked[place] = true }
    for place in keys.indices where !isLocked[place] { release(keys[place]) }
    try waitForOne(of: locked.map { keys[$0.place] })
    note(locked.map { keys[$0.place] }, locked)
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
        guard case .server(let cause) = error, !error.isConnectionGone else { throw .postgres(error) }
        if cause.sqlState.isTransient || cause.sqlState == .queryCanceled { return }
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

  private func note(_ keys: [KeyBytes], _ locked: [(place: Int, holder: String?)]) {
    let count = builder.book.held.count
    status.update { status in
      guard let key = keys.first, count > 0 else {
        status.held = nil
        return
      }
      status.held = HeldRows(
        count: count, key: String(decoding: BatchParameters.json(key), as: UTF8.self),
        holder: locked.lazy.compactMap(\.holder).first, since: status.held?.since ?? Deadline.now)
    }
  }
}

extension Batch {
  /// The keys of the rows to be derived.
  fileprivate var derivedKeys: [KeyBytes] {
    keys.entries.indices.filter { keys.entries[$0].derives }.map { keys.key(at: $0) }
  }
}
