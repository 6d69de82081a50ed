import Derivation
import LocalCluster
import Postgres
import Synchronization
import Testing

@testable import Migration

@Suite("Steps under way", .timeLimit(.minutes(10))) struct StepRunnerTests {
  private let interrupt: Interrupt

  init() throws { interrupt = try #require(Interrupt()) }

  private func expandInBackground(
    _ ledger: LedgerDatabase, report: @escaping @Sendable (StepNews) -> Void = { _ in }
  ) -> Worker<Result<[String], MigrationError>> {
    Worker { [interrupt] in
      Result { () throws(MigrationError) -> [String] in try ledger.expand(interrupt, report: report) }
    }
  }

  @Test("who holds the lock is named and recorded; once it is free the step is done")
  func blockers() async throws {
    let ledger = try LedgerDatabase("runner_blockers")
    let holder = try ledger.connect("a long report")
    try holder.script("BEGIN; SELECT count(*) FROM public.transactions", purpose: "hold the lock")
    let waits = Mutex<[[Blocker]]>([])
    let expansion = expandInBackground(ledger) { news in
      if case .waits(_, let blockers, _) = news, !blockers.isEmpty { waits.withLock { $0.append(blockers) } }
    }
    // Past the first second of its transaction there is no try at all any more, only looks.
    #expect(eventually(within: .seconds(20)) { waits.withLock { $0.count } > 2 })
    let pid = Int64(holder.backendPID)
    let seen = try #require(waits.withLock { $0.last })
    #expect(seen.map(\.pid) == [pid])
    #expect(seen[0].application == "a long report" && seen[0].state == "idle in transaction")
    #expect(seen[0].mode == "AccessShareLock" && seen[0].query == nil && seen[0].user == "postgres")
    try holder.script("COMMIT", purpose: "let go")
    #expect(try await expansion.value.get().last == "add nullable column state_id to public.transactions")
    #expect(
      try ledger.column("SELECT blockers -> 0 ->> 'pid' FROM crossfade.step WHERE step = 'expand.column'")
        == ["\(pid)"])
    #expect(
      try ledger.column(
        "SELECT details #>> '{blockers,0,application}' FROM crossfade.audit WHERE step = 'expand.column'")
        == ["a long report"])
  }

  @Test("the queries of those who block are recorded where the definition allows for it")
  func queries() throws {
    var ledger = try LedgerDatabase("runner_queries")
    ledger.definition.migrate.recordsQueries = true
    ledger.definition.migrate.lockBudget = .seconds(2)
    let holder = try ledger.connect("report")
    try holder.script("BEGIN", purpose: "begin")
    try holder.query("SELECT count(*) FROM public.transactions", purpose: "hold the lock")
    let error = #expect(throws: MigrationError.self) { try ledger.expand(interrupt) }
    guard case .lockNotObtained(_, _, let blockers)? = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(blockers.map(\.query) == ["SELECT count(*) FROM public.transactions"])
    try holder.script("COMMIT", purpose: "let go")
  }

  @Test("when the budget is spent it gives up, changes nothing, names them, and can be run again")
  func budget() throws {
    var ledger = try LedgerDatabase("runner_budget")
    ledger.definition.migrate.lockBudget = .seconds(2)
    let holder = try ledger.connect("a long report")
    try holder.script("BEGIN; SELECT count(*) FROM public.transactions", purpose: "hold the lock")
    let error = #expect(throws: MigrationError.self) { try ledger.expand(interrupt) }
    let text = error?.description ?? ""
    #expect(
      text.hasPrefix(
        "could not add nullable column state_id to public.transactions: the lock was not free in "))
    #expect(
      text.contains(
        "; held by pid \(holder.backendPID) (a long report, idle in transaction, transaction open for "))
    #expect(try ledger.standing() == ["map"])
    #expect(try ledger.account().contains("expand.column failed"))
    #expect(
      try ledger.column("SELECT event FROM crossfade.audit WHERE step = 'expand.column'") == ["failed"])
    try holder.script("COMMIT", purpose: "let go")
    #expect(try ledger.expand(interrupt) == ["add nullable column state_id to public.transactions"])
  }

  @Test("a lock on one partition counts, and all of a table's partitions are waited for no longer than once")
  func partitions() async throws {
    let ledger = try LedgerDatabase("runner_partitions", isPartitioned: true)
    let first = try ledger.connect("holder of low")
    try first.script("BEGIN; SELECT count(*) FROM public.low", purpose: "hold a partition's lock")
    let waits = Mutex<Set<String>>([])
    let expansion = expandInBackground(ledger) { news in
      if case .waits(_, let blockers, _) = news {
        waits.withLock { $0.formUnion(blockers.map(\.application)) }
      }
    }
    #expect(eventually(within: .seconds(20)) { waits.withLock { $0 } == ["holder of low"] })
    try first.script("COMMIT", purpose: "let go")
    #expect(try await expansion.value.get().count == 4)
    #expect(
      try ledger.column(
        "SELECT count(*) FROM pg_attribute WHERE attname = 'state_id' AND attrelid IN ('public.low'::regclass, 'public.highest'::regclass)"
      ) == ["2"])
  }

  @Test("a prepared transaction that holds the lock is named")
  func prepared() throws {
    var configuration = ClusterConfiguration()
    configuration.isDurable = false
    configuration.settings["max_prepared_transactions"] = "2"
    var ledger = try LedgerDatabase("runner_prepared", on: try Cluster.running(configuration))
    ledger.definition.migrate.lockBudget = .seconds(2)
    try ledger.run(
      "BEGIN; LOCK TABLE public.transactions IN ROW EXCLUSIVE MODE; PREPARE TRANSACTION 'payout-7'")
    let error = #expect(throws: MigrationError.self) { try ledger.expand(interrupt) }
    #expect(
      error?.description.contains(
        "held by a prepared transaction (prepared transaction payout-7, prepared, transaction open") == true,
      "\(String(describing: error))")
    try ledger.run("ROLLBACK PREPARED 'payout-7'")
    #expect(try ledger.expand(interrupt).count == 1)
  }

  @Test("two at once: the second is refused, and told who is first")
  func twice() async throws {
    let ledger = try LedgerDatabase("runner_twice")
    let holder = try ledger.connect("holder")
    try holder.script("BEGIN; SELECT count(*) FROM public.transactions", purpose: "hold the lock")
    let isWaiting = Atomic<Bool>(false)
    let expansion = expandInBackground(ledger) { news in
      if case .waits = news { isWaiting.store(true, ordering: .releasing) }
    }
    #expect(eventually(within: .seconds(20)) { isWaiting.load(ordering: .acquiring) })
    let error = #expect(throws: MigrationError.self) { try ledger.rollback(interrupt) }
    let text = error?.description ?? ""
    #expect(
      text.hasPrefix(
        "the migration of slot s_runner_twice is being worked on: crossfade expand s_runner_twice (lock), server process "
      ),
      "\(text)")
    #expect(text.contains(", since 2"))
    // What holds the lock is in no transaction: a concurrent index would wait for it.
    #expect(
      try ledger.column(
        "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'crossfade%(lock)' AND datname = current_database() AND backend_xmin IS NULL AND state = 'idle'"
      ) == ["1"])
    try holder.script("COMMIT", purpose: "let go")
    _ = try await expansion.value.get()
  }

  @Test("when the session with the migration's lock is ended, the work stops")
  func lockLost() async throws {
    var ledger = try LedgerDatabase("runner_lock_lost")
    ledger.definition.migrate.lockBudget = .seconds(20)
    let holder = try ledger.connect("holder")
    try holder.script("BEGIN; SELECT count(*) FROM public.transactions", purpose: "hold the lock")
    let isWaiting = Atomic<Bool>(false)
    let expansion = expandInBackground(ledger) { news in
      if case .waits = news { isWaiting.store(true, ordering: .releasing) }
    }
    #expect(eventually(within: .seconds(20)) { isWaiting.load(ordering: .acquiring) })
    try ledger.run(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'crossfade expand%(lock)' AND datname = current_database()"
    )
    guard case .failure(.lockLost) = await expansion.value else {
      Issue.record("\(await expansion.value)")
      return
    }
    try holder.script("COMMIT", purpose: "let go")
    #expect(try ledger.expand(interrupt).count == 1)
  }

  @Test("an error that is not about a lock is told at once and written down")
  func otherError() throws {
    let ledger = try LedgerDatabase("runner_error")
    try ledger.run(
      """
      CREATE FUNCTION public.forbid() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN
        RAISE EXCEPTION 'not on a Friday'; END $$;
      CREATE EVENT TRIGGER forbid ON ddl_command_start WHEN TAG IN ('ALTER TABLE') EXECUTE FUNCTION public.forbid()
      """)
    let error = #expect(throws: MigrationError.self) { try ledger.expand(interrupt) }
    #expect(
      error?.description
        == "cannot add nullable column state_id to public.transactions: not on a Friday (SQLSTATE P0001)")
    #expect(
      try ledger.column(
        "SELECT error LIKE '%not on a Friday%' FROM crossfade.step WHERE step = 'expand.column'") == ["t"])
  }

  @Test("the account of a newer program is refused before anything is touched")
  func newer() throws {
    let ledger = try LedgerDatabase("runner_newer")
    try ledger.expand(interrupt)
    try ledger.run("UPDATE crossfade.migration SET format = 99, tool_version = '9.9'")
    let error = #expect(throws: MigrationError.self) { try ledger.rollback(interrupt) }
    #expect(error?.description.contains("was written by crossfade 9.9, which is newer") == true)
    #expect(try ledger.standing() == ["map", "column"])
  }

  @Test("a stop ends the waits between attempts")
  func stopped() throws {
    let ledger = try LedgerDatabase("runner_stopped")
    let holder = try ledger.connect("holder")
    try holder.script("BEGIN; SELECT count(*) FROM public.transactions", purpose: "hold the lock")
    let error = #expect(throws: MigrationError.self) {
      try ledger.expand(interrupt) { [interrupt] news in
        if case .waits = news { interrupt.stop() }
      }
    }
    #expect(
      error?.description == "stopped while trying to add nullable column state_id to public.transactions")
    try holder.script("COMMIT", purpose: "let go")
  }
}
