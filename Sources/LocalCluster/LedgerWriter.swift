import Glibc
import Postgres

/// One session of the application, on a thread of its own: draws a transaction, waits until it is due, runs it.
struct LedgerWriter: Sendable {
  let conninfo: String
  let plan: WorkloadPlan
  /// 0 for the first.
  let number: Int
  /// Tells this traffic's audit entries from those of other runs.
  let run: String
  let gate: WorkloadGate
  let tally: TallyCell

  /// Works until the gate closes, or a session is lost for good.
  func work() {
    do throws(PostgresError) {
      let connection = try connect()
      let highest = try connection.query(LedgerStatements.highestID, purpose: "read the highest id")
      try loop(
        connection,
        LedgerWorkSource(
          seed: plan.seed &+ UInt64(truncatingIfNeeded: number) &* 0x9E37_79B9, mix: plan.mix,
          highestID: highest.integer(0, 0) ?? 0))
    } catch {
      tally.update { $0.note(error: error.description) }
    }
  }

  private func loop(_ first: Connection, _ drawn: LedgerWorkSource) throws(PostgresError) {
    var connection = first
    var source = drawn
    var pace = SeededGenerator(seed: ~plan.seed &+ UInt64(truncatingIfNeeded: number))
    var schedule = plan.transactionsPerSecond.map { rate in
      ArrivalSchedule(perSecond: rate / Double(max(1, plan.writers)), start: .now)
    }
    var attempt = 0
    while true {
      let pauses = gate.pauses
      var due = schedule?.draw(&pace, pauses: pauses, now: .now)
      if let due { ArrivalSchedule.sleep(until: due) { gate.isOpen } }
      guard gate.enter() else { return }
      defer { gate.leave() }
      let begin = ContinuousClock.now
      if gate.pauses != pauses { due = due.map { max($0, begin) } }
      attempt += 1
      let token = "\(run)/\(number)/\(attempt)"
      let work = source.draw()
      do throws(PostgresError) {
        let session = LedgerSession(
          connection: connection, tally: tally, statementLimit_ms: plan.statementLimit_ms,
          statements: LedgerStatements(column: plan.column))
        let effect = try session.run(work, token: token, source: &source)
        finish(effect, begin: begin, due: due, source: &source)
      } catch {
        guard isLost(connection, error) else {
          tally.update { $0.note(error: error.description) }
          _ = try? connection.query("ROLLBACK", purpose: "roll back")
          continue
        }
        guard plan.reconnectLimit != nil else { throw error }
        tally.update { $0.interruptions += 1 }
        connection = try recover(work, token)
      }
    }
  }

  private func finish(
    _ effect: LedgerSession.Effect, begin: ContinuousClock.Instant, due: ContinuousClock.Instant?,
    source: inout LedgerWorkSource
  ) {
    let end = ContinuousClock.now
    tally.update { tally in
      if effect.isRolledBack { tally.rolledBack += 1 } else { tally.committed += 1 }
      tally.inserted += effect.inserted.count
      tally.moved += effect.moved.count
      tally.deleted += effect.deleted
      tally.missed += effect.missed
      tally.transactionLatency.record(end - begin)
      if let due { tally.responseLatency.record(end - due) }
    }
    for transaction in effect.inserted + effect.moved { source.learn(transaction) }
  }

  private func isLost(_ connection: Connection, _ error: PostgresError) -> Bool {
    error.isConnectionGone || !connection.isOpen
  }

  /// A name of its own in `pg_stat_activity`, set by SQL: a connection string or PGAPPNAME may name another.
  private var applicationName: String { "ledger \(run)/\(number)" }

  private func connect() throws(PostgresError) -> Connection {
    let connection = try Connection(conninfo, options: .init(applicationName: applicationName))
    try connection.query(
      "SELECT set_config('application_name', $1, false)", [.text(applicationName)],
      purpose: "name the session")
    return connection
  }

  /// Comes back after a lost session, and finds out what became of the transaction that was under way.
  private func recover(_ work: LedgerWork, _ token: String) throws(PostgresError) -> Connection {
    let end = ContinuousClock.now + (plan.reconnectLimit ?? .zero)
    while true {
      do throws(PostgresError) {
        let connection = try connect()
        try resolve(work, token, connection, until: end)
        return connection
      } catch {
        guard error.isRetriable, ContinuousClock.now < end else { throw error }
        usleep(20_000)
      }
    }
  }

  private func resolve(
    _ work: LedgerWork, _ token: String, _ connection: Connection, until end: ContinuousClock.Instant
  ) throws(PostgresError) {
    // While the old session's backend lives it may still commit, and no trace would prove nothing.
    while true {
      let living = try connection.query(
        LedgerStatements.predecessors, [.text(applicationName)], purpose: "look for the lost session")
      if living.integer(0, 0) == 0 { break }
      guard ContinuousClock.now < end else {
        throw .unexpected(purpose: "learn a transaction's fate", what: "the lost session's backend lives on")
      }
      usleep(20_000)
    }
    let trace = try connection.query(
      LedgerStatements.trace, [.text(token)], purpose: "learn a transaction's fate")
    var found: [String: Int] = [:]
    for row in 0..<trace.rowCount { found[trace[row, 0] ?? ""] = Int(trace.integer(row, 1) ?? 0) }
    tally.update { tally in
      guard !found.isEmpty else {
        tally.foundLost += 1
        return
      }
      tally.foundCommitted += 1
      tally.committed += 1
      tally.inserted += found["insert"] ?? 0
      tally.moved += found["move"] ?? 0
      tally.deleted += found["delete"] ?? 0
      if case .rollback = work {
        tally.note(error: "a transaction that was never committed is in the ledger")
      }
    }
  }
}
