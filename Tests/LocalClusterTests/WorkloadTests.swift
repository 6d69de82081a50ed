import LocalCluster
import Postgres
import Testing

@Suite("Application traffic", .timeLimit(.minutes(5))) struct WorkloadTests {
  private func allKinds() -> WorkloadPlan {
    var plan = WorkloadPlan()
    plan.mix.insert = 20
    plan.mix.history = 10
    plan.mix.batch = 10
    plan.mix.rollback = 10
    plan.mix.savepoint = 10
    plan.mix.delete = 5
    return plan
  }

  @Test("traffic of every kind agrees with its audit, makes no errors and only legal moves")
  func everyKind() throws {
    let ledger = try LedgerDatabase("workload_kinds", rows: 1000)
    let workload = Workload(conninfo: ledger.conninfo, plan: allKinds())
    workload.start()
    #expect(eventually(within: .seconds(60)) { workload.tally().committed > 1500 })
    #expect(workload.isRunning)
    let tally = workload.stop()
    #expect(!workload.isRunning)
    #expect(tally.errors == [:])
    #expect(tally.rolledBack > 0 && tally.deleted > 0 && tally.moved > 0)
    let session = try ledger.connect()
    let report = try Oracle(.ledger).judge(session)
    #expect(report.findings == [])
    #expect(report.rows == 1000 + tally.inserted - tally.deleted)

    let moves = LegacyStatus.allCases.flatMap { from in from.moves.map { "('\(from.text)', '\($0.to.text)')" }
    }
    let illegal = try session.query(
      """
      SELECT count(*) FROM (
        SELECT op, status, lag(status) OVER (PARTITION BY transaction_id ORDER BY seq) AS before
        FROM public.ledger_audit
      ) AS steps WHERE op = 'move' AND (before, status) NOT IN (\(moves.joined(separator: ", ")))
      """, purpose: "look for illegal moves")
    #expect(illegal[0] == "0")
    let counted = try session.query(
      """
      SELECT count(*) FILTER (WHERE op = 'insert'), count(*) FILTER (WHERE op = 'move'),
        count(DISTINCT work) FROM public.ledger_audit WHERE op <> 'load'
      """, purpose: "count")
    #expect(counted.integer(0, 0) == Int64(tally.inserted))
    #expect(counted.integer(0, 1) == Int64(tally.moved))
    // A transaction that changed nothing (a miss) leaves no audit entry.
    #expect(try #require(counted.integer(0, 2)) <= Int64(tally.committed))
    #expect(tally.transactionLatency.count == UInt64(tally.committed + tally.rolledBack))
    #expect(tally.statementLatency.count == UInt64(tally.statements))
    #expect(tally.responseLatency.count == 0)
  }

  @Test("a paused traffic is still, and goes on when resumed")
  func pause() throws {
    let ledger = try LedgerDatabase("workload_pause", rows: 100)
    let workload = Workload(conninfo: ledger.conninfo, plan: allKinds())
    workload.start()
    #expect(eventually(within: .seconds(60)) { workload.tally().committed > 50 })
    #expect(workload.pause())
    let before = workload.tally()
    let session = try ledger.connect()
    let active = try session.query(
      "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'ledger %/%' "
        + "AND state <> 'idle'", purpose: "look for activity")
    #expect(active[0] == "0")
    #expect(try Oracle(.ledger).judge(session).isClean)
    #expect(workload.tally().statements == before.statements)
    workload.resume()
    #expect(eventually(within: .seconds(60)) { workload.tally().committed > before.committed + 50 })
    #expect(workload.stop().errors == [:])
  }

  @Test("a rate is kept in the mean, and response time counts from when a transaction was due")
  func rate() throws {
    let ledger = try LedgerDatabase("workload_rate", rows: 100)
    var plan = WorkloadPlan()
    plan.transactionsPerSecond = 100
    let workload = Workload(conninfo: ledger.conninfo, plan: plan)
    let begin = ContinuousClock.now
    workload.start()
    #expect(eventually(within: .seconds(60)) { workload.tally().committed >= 300 })
    let took = ContinuousClock.now - begin
    let tally = workload.stop()
    // 300 arrivals of a Poisson process take 3 s with a standard deviation of 0.17 s.
    #expect(took > .seconds(2))
    #expect(took < .seconds(15))
    #expect(tally.responseLatency.count == tally.transactionLatency.count)
    #expect(tally.responseLatency.quantile_us(0.5) >= tally.transactionLatency.quantile_us(0.5))
  }

  @Test("an immediate restart under traffic leaves table and audit in agreement, with every fate known")
  func immediateRestart() throws {
    let cluster = try Cluster.running()
    let ledger = try LedgerDatabase("workload_restart", rows: 1000, on: cluster)
    var plan = allKinds()
    plan.writers = 4
    plan.reconnectLimit = .seconds(60)
    let workload = Workload(conninfo: ledger.conninfo, plan: plan)
    workload.start()
    for round in 0..<4 {
      let before = workload.tally().committed
      #expect(eventually(within: .seconds(60)) { workload.tally().committed > before + 200 })
      if round % 2 == 0 {
        try cluster.restart(.immediate)
      } else {
        try cluster.kill9()
        try cluster.start()
      }
    }
    let before = workload.tally().committed
    #expect(eventually(within: .seconds(60)) { workload.tally().committed > before + 200 })
    let tally = workload.stop()
    #expect(tally.errors == [:])
    #expect(tally.interruptions >= 4)
    #expect(tally.foundCommitted + tally.foundLost == tally.interruptions)
    let session = try ledger.connect()
    let report = try Oracle(.ledger).judge(session)
    #expect(report.findings == [])
    // Nothing that was answered is lost, and nothing is there that was counted as lost.
    #expect(report.rows == 1000 + tally.inserted - tally.deleted)
    let counted = try session.query(
      "SELECT count(*) FROM public.ledger_audit WHERE op = 'move'", purpose: "count")
    #expect(counted.integer(0, 0) == Int64(tally.moved))
  }

  @Test("a terminated session is resumed, and an application that may not reconnect reports it")
  func terminated() throws {
    let ledger = try LedgerDatabase("workload_terminated", rows: 100)
    let terminate =
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'ledger %/%' "
      + "AND datname = current_database()"
    var plan = allKinds()
    plan.reconnectLimit = .seconds(30)
    let patient = Workload(conninfo: ledger.conninfo, plan: plan)
    patient.start()
    #expect(eventually(within: .seconds(60)) { patient.tally().committed > 50 })
    let session = try ledger.connect()
    try session.query(terminate, purpose: "terminate")
    let before = patient.tally().committed
    #expect(eventually(within: .seconds(60)) { patient.tally().committed > before + 50 })
    let tally = patient.stop()
    #expect(tally.interruptions == 2)
    #expect(tally.errors == [:])

    plan.reconnectLimit = nil
    let strict = Workload(conninfo: ledger.conninfo, plan: plan)
    strict.start()
    #expect(eventually(within: .seconds(60)) { strict.tally().committed > 50 })
    try session.query(terminate, purpose: "terminate")
    #expect(eventually(within: .seconds(60)) { !strict.isRunning })
    #expect(strict.stop().errorCount == 2)
    #expect(try Oracle(.ledger).judge(session).isClean)
  }

  @Test("errors of the application are kept in their own words")
  func errors() throws {
    let ledger = try LedgerDatabase("workload_errors", rows: 100)
    let session = try ledger.connect()
    try session.query(
      "ALTER TABLE public.transactions ADD CONSTRAINT none_new CHECK (id <= 100)", purpose: "break inserts")
    let workload = Workload(conninfo: ledger.conninfo, plan: WorkloadPlan())
    workload.start()
    #expect(eventually(within: .seconds(60)) { workload.tally().errorCount > 20 })
    let tally = workload.stop()
    #expect(tally.inserted == 0)
    #expect(
      tally.errors.keys.allSatisfy { $0.contains("violates check constraint \"none_new\" (SQLSTATE 23514)") })
    #expect(try Oracle(.ledger).judge(session).isClean)
  }
}
