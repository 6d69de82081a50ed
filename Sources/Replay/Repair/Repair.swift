public import ChangeLog
import Derivation
import DualWrite
public import Logging
import PGOutput
public import Postgres

/// Repairs the new column of the rows that a range of the log names: each is derived again from the row as it stands,
/// batch by batch, the position in the commit of the rows. Beside a dual-write both write the same.
public struct Repair {
  let plan: RepairPlan
  let interrupt: Interrupt
  let logger: Logger

  /// How often a batch that met a lock is tried again.
  private static let attempts = 20

  /// A repair by a plan.
  public init(_ plan: RepairPlan, interrupt: Interrupt, logger: Logger) {
    self.plan = plan
    self.interrupt = interrupt
    self.logger = logger
  }

  /// Where the repair begins: where one that was interrupted stood, or at the range's beginning.
  ///
  /// - Parameter restart: whether to begin anew all the same.
  /// - Throws: `refused` when another one is unfinished.
  public func standing(
    _ range: ReplayRange, restart: Bool, progress: (ResolvedRange, Position, UInt64) -> Void = { _, _, _ in }
  ) throws(ReplayError) -> RepairStanding {
    let session = try RepairSession(plan, interrupt: interrupt)
    try session.requireStates()
    let found: RepairRecord?
    do {
      found = try session.record()
      try session.release()
    } catch { throw .postgres(error) }
    if let found, !found.finished, !restart {
      guard found.request == plan.request else { throw isUnfinished(found) }
      return RepairStanding(
        range: ResolvedRange(after: found.position, through: found.through), isResumed: true, found: found)
    }
    return RepairStanding(
      range: try range.resolved(
        in: plan.log, derive: plan.definition.derive, crossesDamage: plan.crossesDamage,
        interrupt: interrupt, progress: progress),
      isResumed: false, found: found)
  }

  private func isUnfinished(_ other: RepairRecord) -> ReplayError {
    .refused(
      what: "another replay of slot \(plan.definition.slot) is unfinished: from \(other.request.from) to "
        + "\(other.request.to ?? "the log's end"), done up to \(other.position)"
        + (other.request.keys == nil ? "" : ", of some keys")
        + (other.request.map == nil ? "" : ", by a map of its own")
        + (other.request.derive == plan.request.derive ? "" : ", by another definition"),
      hint: "finish it by the arguments it was begun with, or give --restart to forget it")
  }

  /// Walks the range to its end. `progress` is called after every batch.
  ///
  /// - Parameter standing: what the look found. When another replay has begun since, nothing is written.
  public func run(
    _ standing: RepairStanding, progress: (RepairRecord) -> Void
  ) throws(ReplayError) -> RepairRecord {
    var standing = standing
    var hold: RepairHold?
    var waits = Backoff(firstMilliseconds: 100, lastMilliseconds: 5000)
    while true {
      do throws(ReplayError) {
        let session = try RepairSession(plan, interrupt: interrupt)
        try claim(standing, session)
        let held: RepairHold
        if let hold {
          held = hold
        } else {
          held = try RepairHold(plan.log, after: standing.range.after, logger: logger)
        }
        hold = held
        if !standing.isResumed {
          do { try session.begin(standing.range) } catch { throw .postgres(error) }
          standing.isResumed = true
        }
        let done = try walk(standing.range, session) {
          waits.succeeded()
          standing.range.after = $0.position
          held.move(to: $0.position)
          progress($0)
        }
        held.release()
        return done
      } catch {
        guard case .postgres(let cause) = error else { throw error }
        if case .interrupted = cause { throw .stopped(at: standing.range.after) }
        guard cause.isConnectionGone else { throw error }
        logger.warning("the replay goes on in a moment", metadata: ["error": "\(cause)"])
        if interrupt.wait(milliseconds: waits.next()) { throw .stopped(at: standing.range.after) }
      }
    }
  }

  /// Under the session's lock: whether what the look found still stands.
  private func claim(_ standing: RepairStanding, _ session: RepairSession) throws(ReplayError) {
    let now: RepairRecord?
    do { now = try session.record() } catch { throw .postgres(error) }
    guard !standing.admits(now, plan.request) else { return }
    guard let now else { throw Self.isGone }
    if !now.finished { throw isUnfinished(now) }
    throw .refused(
      what: "another replay of slot \(plan.definition.slot) took the place of this one and is done by now",
      hint: "run it again: it begins anew")
  }

  private func walk(
    _ range: ResolvedRange, _ session: RepairSession, _ progress: (RepairRecord) -> Void
  ) throws(ReplayError) -> RepairRecord {
    // What was committed without our hearing of it is not done twice: the record says where to go on.
    var record = try self.record(of: session)
    let rest = ResolvedRange(after: record.position, through: range.through)
    let walk = EventWalk(
      plan.log, derive: plan.definition.derive, range: rest, keys: plan.keys,
      crossesDamage: plan.crossesDamage)
    var limit = RateLimit(perSecond: plan.rate, start: Deadline.now)
    var batch = RepairBatch()
    while true {
      let step = try walk.next()
      switch step {
      case .event(let event): batch.add(event)
      case .gap(let gap): batch.add(gap)
      case nil: break
      }
      guard step == nil || batch.rows.count >= plan.batch || batch.changes >= plan.batch * 20 else {
        continue
      }
      let end =
        step == nil ? Position(endLSN: min(range.through, max(walk.reach, record.position.endLSN))) : nil
      try apply(batch, to: end ?? batch.position ?? record.position, isLast: step == nil, session)
      record = try self.record(of: session)
      progress(record)
      guard step != nil else { return record }
      let pause = limit.pause(after: batch.rows.count, now: Deadline.now)
      batch = RepairBatch()
      if interrupt.isStopped || (pause > 0 && interrupt.wait(milliseconds: pause)) {
        throw .stopped(at: record.position)
      }
    }
  }

  private static let isGone = ReplayError.refused(
    what: "the replay's row in crossfade.replay is gone", hint: "run it again: it begins anew")

  private func record(of session: RepairSession) throws(ReplayError) -> RepairRecord {
    let found: RepairRecord?
    do { found = try session.record() } catch { throw .postgres(error) }
    guard let found else { throw Self.isGone }
    return found
  }

  /// One commit; where the target refuses a row, that row is left out and counted.
  private func apply(
    _ batch: RepairBatch, to position: Position, isLast: Bool, _ session: RepairSession
  ) throws(ReplayError) {
    do throws(PostgresError) {
      do throws(PostgresError) {
        _ = try patiently { () throws(PostgresError) in
          try session.apply(
            batch.rows, to: position, changes: batch.changes, gaps: batch.gaps, isLast: isLast)
        }
      } catch {
        guard Self.isOfRow(error) else { throw error }
        let before = try session.record()?.position ?? position
        let refused = try isolate(batch.rows[...], at: before, session)
        _ = try patiently { () throws(PostgresError) in
          try session.apply(
            [], to: position, changes: batch.changes, refused: refused, gaps: batch.gaps, isLast: isLast)
        }
      }
    } catch {
      if case .interrupted = error { throw .stopped(at: batch.position ?? position) }
      throw .postgres(error)
    }
  }

  /// Applies by halves, the position left where it is; how many rows were refused.
  private func isolate(
    _ rows: ArraySlice<RepairRow>, at position: Position, _ session: RepairSession
  ) throws(PostgresError) -> Int {
    do throws(PostgresError) {
      _ = try patiently { () throws(PostgresError) in
        try session.apply(rows, to: position, changes: 0)
      }
      return 0
    } catch {
      guard Self.isOfRow(error) else { throw error }
      guard rows.count > 1 else {
        let key = rows.first?.key.columns.map(\.string).joined(separator: ", ") ?? ""
        logger.error("the target refuses a row", metadata: ["key": "\(key)", "error": "\(error)"])
        return 1
      }
      let middle = rows.startIndex + rows.count / 2
      return try isolate(rows[..<middle], at: position, session)
        + isolate(rows[middle...], at: position, session)
    }
  }

  private static func isOfRow(_ error: PostgresError) -> Bool {
    guard case .server(let cause) = error, !error.isConnectionGone else { return false }
    return Poison.isOfRow(cause.sqlState)
  }

  /// Tries again what met a lock, a deadlock or a timeout.
  private func patiently<Value>(_ body: () throws(PostgresError) -> Value) throws(PostgresError) -> Value {
    var waits = Backoff(firstMilliseconds: 20, lastMilliseconds: 2000)
    var attempt = 1
    while true {
      do throws(PostgresError) {
        return try body()
      } catch {
        guard error.isPassing, attempt < Self.attempts else { throw error }
        attempt += 1
        if interrupt.wait(milliseconds: waits.next()) { throw .interrupted(purpose: "repair a batch") }
      }
    }
  }
}
