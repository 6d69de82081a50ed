import Derivation
import LocalCluster
import Postgres
import Synchronization
import Testing

@testable import Migration

@Suite("Constrain", .timeLimit(.minutes(10))) struct ConstrainTests {
  private let interrupt: Interrupt

  init() throws { interrupt = try #require(Interrupt()) }

  private func ready(_ name: String, isPartitioned: Bool = false) throws -> LedgerDatabase {
    let ledger = try LedgerDatabase(name, isPartitioned: isPartitioned)
    try ledger.run("INSERT INTO public.transactions SELECT i, 'AUTH' FROM generate_series(1, 2000) AS i")
    try ledger.expand(interrupt)
    try ledger.run("UPDATE public.transactions SET state_id = 1")
    try ledger.backfilled()
    return ledger
  }

  private func inBackground(
    _ ledger: LedgerDatabase, report: @escaping @Sendable (StepNews) -> Void = { _ in }
  ) -> Worker<Result<[StepOutcome], MigrationError>> {
    Worker { [interrupt] in
      Result { () throws(MigrationError) -> [StepOutcome] in try ledger.constrain(interrupt, report: report) }
    }
  }

  @Test("before the backfill is done it is refused")
  func early() throws {
    let ledger = try LedgerDatabase("constrain_early")
    #expect(throws: MigrationError.self) { try ledger.constrain(interrupt) }
    try ledger.expand(interrupt)
    let error = #expect(throws: MigrationError.self) { try ledger.constrain(interrupt) }
    #expect(error?.description == "the backfill of slot s_constrain_early has not begun")
    try ledger.run("INSERT INTO crossfade.backfill (slot, expected) VALUES ('s_constrain_early', 0)")
    let again = #expect(throws: MigrationError.self) { try ledger.constrain(interrupt) }
    #expect(again?.description == "the backfill of slot s_constrain_early is not done")
  }

  @Test("a map whose ids may stand twice is refused, before the index is built, and the hint mends it")
  func looseMap() throws {
    let ledger = try ready("constrain_loose")
    try ledger.run("ALTER TABLE public.transaction_state DROP CONSTRAINT transaction_state_pkey")
    let error = #expect(throws: MigrationError.self) { try ledger.constrain(interrupt) }
    guard case .notReady(let what, let hint) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(
      what
        == "nothing keeps id of public.transaction_state from standing twice, so no foreign key can refer to it"
    )
    #expect(try ledger.standing() == ["map", "column"])
    try ledger.run(hint)
    #expect(try ledger.constrain(interrupt).map(\.ending) == [.done, .done, .done])
  }

  @Test("index and foreign key stand; run again it does nothing; the phase is backfilled")
  func twice() throws {
    let ledger = try ready("constrain_twice")
    #expect(try ledger.constrain(interrupt).map(\.ending) == [.done, .done, .done])
    #expect(try ledger.standing() == ["map", "column", "index true", "key true"])
    #expect(try ledger.constrain(interrupt).map(\.ending) == [.there, .there, .there])
    #expect(try ledger.column("SELECT phase FROM crossfade.migration") == ["backfilled"])
  }

  @Test(
    "a transaction that has nothing to do with it does not end the index: it waits, says for whom, and is built"
  )
  func unrelatedTransaction() async throws {
    let ledger = try ready("constrain_unrelated")
    // Limits that an administrator has set for the applications.
    try ledger.run(
      "ALTER DATABASE constrain_unrelated SET lock_timeout = '300ms'; ALTER DATABASE constrain_unrelated SET statement_timeout = '1s'"
    )
    let other = try ledger.connect("month's end")
    try other.script(
      "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1",
      purpose: "hold a snapshot")
    let said = Mutex<[String]>([])
    let work = inBackground(ledger) { news in
      if case .progress(_, let text) = news { said.withLock { $0.append(text) } }
    }
    #expect(
      eventually(within: .seconds(20)) { said.withLock { $0.contains { $0.contains("month's end") } } },
      "\(said.withLock { $0 })")
    // Longer than every limit there is.
    #expect(!eventually(within: .milliseconds(2_500)) { work.isFinished })
    try other.script("COMMIT", purpose: "end")
    #expect(try await work.value.get().map(\.ending) == [.done, .done, .done])
    #expect(try ledger.standing() == ["map", "column", "index true", "key true"])
  }

  @Test("an INVALID index that a killed build left is dropped and built anew, and so is what REINDEX leaves")
  func invalid() async throws {
    let ledger = try ready("constrain_invalid")
    let other = try ledger.connect("other")
    try other.script("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1", purpose: "hold a snapshot")
    let work = inBackground(ledger)
    #expect(
      try eventually(within: .seconds(20)) {
        try ledger.column("SELECT phase FROM pg_stat_progress_create_index") == ["waiting for old snapshots"]
      })
    try ledger.run(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'crossfade constrain s_constrain_invalid'"
    )
    guard case .failure(let error) = await work.value else {
      Issue.record("it was not struck")
      return
    }
    #expect(error.description.hasPrefix("connection lost while trying to build an index"), "\(error)")
    try other.script("COMMIT", purpose: "end")
    #expect(try ledger.standing() == ["map", "column", "index false"])
    try ledger.run(
      "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'public.transactions_state_id_idx'::regclass; "
        + "CREATE INDEX transactions_state_id_idx_ccnew ON public.transactions (state_id); "
        + "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'public.transactions_state_id_idx_ccnew'::regclass"
    )
    let cleared = Mutex<[String]>([])
    try ledger.constrain(interrupt) { news in
      if case .clears(_, let statement) = news { cleared.withLock { $0.append(statement) } }
    }
    #expect(
      cleared.withLock { $0 } == [
        "DROP INDEX CONCURRENTLY public.transactions_state_id_idx",
        "DROP INDEX CONCURRENTLY public.transactions_state_id_idx_ccnew",
      ])
    #expect(try ledger.standing() == ["map", "column", "index true", "key true"])
  }

  @Test("the session of a killed run that still builds is ended first")
  func orphan() async throws {
    let ledger = try ready("constrain_orphan")
    let other = try ledger.connect("other")
    try other.script("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1", purpose: "hold a snapshot")
    let first = inBackground(ledger)
    #expect(
      try eventually(within: .seconds(20)) {
        try ledger.column("SELECT phase FROM pg_stat_progress_create_index") == ["waiting for old snapshots"]
      })
    // What a killed client leaves: its session at work, its lock gone.
    try ledger.run(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'crossfade constrain s_constrain_orphan (lock)' "
        + "OR application_name = 'crossfade constrain s_constrain_orphan (watch)'")
    let builder = try ledger.column("SELECT pid FROM pg_stat_progress_create_index")
    let second = inBackground(ledger)
    #expect(
      try eventually(within: .seconds(20)) {
        try ledger.column(
          "SELECT pid FROM pg_stat_progress_create_index WHERE phase = 'waiting for old snapshots'")
          != builder
      })
    _ = await first.value
    try other.script("COMMIT", purpose: "end")
    #expect(try await second.value.get().map(\.ending) == [.done, .done, .done])
    #expect(try ledger.standing() == ["map", "column", "index true", "key true"])
  }

  @Test("VALIDATE is not cut by a short statement_timeout of the role")
  func statementTimeout() throws {
    let ledger = try ready("constrain_timeout")
    try ledger.run(
      """
      INSERT INTO public.transactions (id, status, state_id) SELECT i, 'AUTH', 1 FROM generate_series(2001, 1000000) AS i;
      CREATE ROLE hasty LOGIN SUPERUSER; ALTER ROLE hasty SET statement_timeout = '60ms'; ALTER ROLE hasty SET lock_timeout = '60ms'
      """)
    var hasty = ledger
    hasty.definition.source = ConnectionString(ledger.cluster.conninfo(database: ledger.name, user: "hasty"))
    #expect(try hasty.constrain(interrupt).map(\.ending) == [.done, .done, .done])
    #expect(try ledger.standing() == ["map", "column", "index true", "key true"])
    let took = try ledger.column(
      "SELECT extract(milliseconds FROM finished_at - started_at)::int > 60 FROM crossfade.step WHERE step = 'backfill.validate'"
    )
    #expect(took == ["t"], "the scan was too short to show anything")
    // The same statement by hand is cut.
    try ledger.run(
      "UPDATE pg_constraint SET convalidated = false WHERE conname = 'transactions_state_id_fkey'")
    let session = try Connection(
      ledger.cluster.conninfo(database: ledger.name, user: "hasty"),
      options: .init(applicationName: "by hand"))
    let cut = #expect(throws: PostgresError.self) {
      try session.query(
        "ALTER TABLE public.transactions VALIDATE CONSTRAINT transactions_state_id_fkey", purpose: "validate")
    }
    #expect(cut?.sqlState == .queryCanceled)
  }

  @Test("a partitioned table gets an index and a key that hold for all partitions, and for those to come")
  func partitioned() throws {
    let ledger = try ready("constrain_partitioned", isPartitioned: true)
    try ledger.constrain(interrupt)
    #expect(try ledger.standing() == ["map", "column", "index true", "key true"])
    try ledger.run(
      "CREATE TABLE public.later PARTITION OF public.transactions FOR VALUES FROM (1000000) TO (2000000)")
    #expect(
      try ledger.column(
        "SELECT indisvalid FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0] AND a.attname = 'state_id' WHERE i.indrelid IN ('public.low'::regclass, 'public.high'::regclass, 'public.highest'::regclass, 'public.later'::regclass)"
      ) == ["t", "t", "t", "t"])
    #expect(try ledger.constrain(interrupt).allSatisfy { $0.ending == .there })
    #expect(throws: PostgresError.self) {
      try ledger.run("INSERT INTO public.transactions VALUES (1500000, 'AUTH', 77)")
    }
    try ledger.rollback(interrupt)
    #expect(try ledger.standing() == [])
  }

  @Test("an index of the application's own will do, and is left alone on the way back")
  func found() throws {
    let ledger = try ready("constrain_found")
    try ledger.run("CREATE INDEX by_state ON public.transactions (state_id, id)")
    #expect(try ledger.constrain(interrupt).map(\.ending) == [.there, .done, .done])
    #expect(try ledger.account().contains("backfill.index found"))
  }

  @Test(
    "under writes, and readers that keep the lock, no statement fails, and none waits longer than lock_timeout"
  )
  func underLoad() async throws {
    var ledger = try ready("constrain_load")
    ledger.definition.migrate.lockTimeout = Milliseconds(400)
    let isOver = Atomic<Bool>(false)
    // A transaction of a second and a half after another: a schema change that just waited would hold up the writers for as long.
    let reader = Worker { [ledger] () -> Bool in
      guard let connection = try? ledger.connect("reader") else { return false }
      while !isOver.load(ordering: .acquiring) {
        guard
          (try? connection.script(
            "BEGIN; SELECT count(*) FROM public.transactions; SELECT pg_sleep(1.5); COMMIT; SELECT pg_sleep(0.3)",
            purpose: "read")) != nil
        else { return false }
      }
      return true
    }
    let writers = (0..<4).map { number in
      Worker { [ledger] () -> (longest: UInt64, count: Int, errors: [String]) in
        guard let connection = try? ledger.connect("writer") else { return (0, 0, ["no session"]) }
        var (longest, count, errors): (UInt64, Int, [String]) = (0, 0, [])
        while !isOver.load(ordering: .acquiring) {
          let start = Deadline.now
          do {
            try connection.query(
              "UPDATE public.transactions SET status = 'CAPTURED' WHERE id = $1",
              [.integer(1 + (count * 7 + number * 501) % 2_000)], purpose: "write")
          } catch {
            errors.append("\(error)")
          }
          longest = max(longest, Deadline.now - start)
          count += 1
        }
        return (longest, count, errors)
      }
    }
    try ledger.constrain(interrupt)
    try ledger.rollback(interrupt)
    try ledger.expand(interrupt)
    isOver.store(true, ordering: .releasing)
    #expect(await reader.value)
    for writer in writers {
      let (longest, count, errors) = await writer.value
      #expect(errors == [])
      #expect(count > 100)
      // 400 ms, what the step itself takes, and room for a machine under load.
      #expect(longest < 1_200_000_000, "\(longest / 1_000_000) ms")
    }
    #expect(try ledger.standing() == ["map", "column"])
    #expect(
      try ledger.column("SELECT max(lock_wait_ms / greatest(attempts, 1)) < 600 FROM crossfade.step") == ["t"]
    )
  }
}
