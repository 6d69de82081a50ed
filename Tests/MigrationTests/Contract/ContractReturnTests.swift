import Derivation
import LocalCluster
import Postgres
import Synchronization
import Testing

@testable import Migration

@Suite("The way back from a contract", .timeLimit(.minutes(10))) struct ContractReturnTests {
  private let interrupt: Interrupt

  init() throws { interrupt = try #require(Interrupt()) }

  private func scene(_ name: String, bridge: Bool = false) throws -> ContractScene {
    let scene = try ContractScene(name, interrupt, bridge: bridge)
    try scene.ledger.run(MirroredTraffic.mirror)
    return scene
  }

  @Test("it says what it will do, and that nothing is lost")
  func says() throws {
    let scene = try scene("return_says")
    try scene.retire()
    let plan = try Rollback(
      definition: scene.ledger.definition, interrupt: interrupt, logger: LedgerDatabase.logger
    ).run(confirm: { _ in false }, report: { _ in }).plan
    #expect(plan.phase == .contracted)
    #expect(plan.goal == .cutOver)
    #expect(plan.confirmation == "public.transactions.status")
    #expect(plan.loses == [])
    #expect(plan.keeps == ["state_id stays, and so do its index, its foreign key and who reads it"])
    #expect(
      plan.steps.map(\.title) == [
        "undo: make state_id NOT NULL",
        "keep status_retired in step with state_id by a trigger, until it is back",
        "fill status_retired from state_id where it lags, a page at a time",
        "rename status_retired to status, and let the bridge keep both in step",
        "derive both ways again",
        "drop the bridge: the dual-write keeps both in step",
      ])
    #expect(try scene.columns() == ["state_id NOT NULL", "status_retired"])
  }

  @Test(
    "under traffic by new writers: none of their statements fails forward or back, and both columns are as the mirror has them",
    arguments: ContractScene.bridges)
  func traffic(_ bridge: Bool) async throws {
    let scene = try scene("return_traffic_\(bridge)", bridge: bridge)
    if !bridge { try scene.ledger.run("ALTER TABLE public.transactions ALTER status DROP NOT NULL") }
    let writers = try (0..<3).map {
      try MirroredTraffic(scene.ledger, .new, seed: UInt64($0))
    }
    func moved(_ count: Int) throws {
      let before = writers.map(\.done)
      #expect(eventually(within: .seconds(20)) { zip(writers, before).allSatisfy { $0.done >= $1 + count } })
    }
    try moved(50)
    try scene.retire()
    try moved(200)
    let holds = Flag()
    try scene.ledger.rollback(interrupt) { news in
      // The stand-in derives nothing: who goes on without the bridge would not be followed.
      guard !bridge, case .ended(let outcome) = news, outcome.step.id == "contract.direction" else { return }
      holds.raise()
      for writer in writers { writer.halt() }
    }
    if bridge { try moved(50) }
    for writer in writers { await writer.end() }
    #expect(holds.isUp == !bridge)
    #expect(writers.flatMap(\.failed) == [])
    #expect(try scene.ledger.column(MirroredTraffic.differences) == [])
    #expect(try scene.ledger.column("SELECT count(*) > 100 FROM public.mirror") == ["t"])
    #expect(try scene.columns() == ["state_id", "status"])
    #expect(try scene.phase() == "cut over")
    #expect(
      try scene.ledger.column("SELECT asked || ' ' || standing FROM crossfade.direction") == ["both both"])
    let remains = try scene.remains()
    #expect(remains.count == (bridge ? 3 : 0), "\(remains)")
  }

  @Test(
    "old writers come back the moment the column has its name: none of their updates is lost",
    .enabled(if: ContractScene.contractsBesideBridge, ContractScene.wantsMessages))
  func oldWriters() async throws {
    let scene = try scene("return_old", bridge: true)
    let new = try MirroredTraffic(scene.ledger, .new, seed: 1)
    let old = try MirroredTraffic(scene.ledger, .old, seed: 2)
    try scene.retire()
    let refused = eventually(within: .seconds(10)) { old.failed.count > 5 }
    #expect(refused)
    try scene.ledger.rollback(interrupt)
    let (before, errors) = (old.done, old.failed.count)
    #expect(eventually(within: .seconds(20)) { old.done > before + 100 && new.done > 100 })
    await new.end()
    await old.end()
    #expect(new.failed == [])
    #expect(old.failed.count == errors)
    #expect(old.failed.allSatisfy { $0.contains("status") }, "\(old.failed.first ?? "")")
    #expect(try scene.ledger.column(MirroredTraffic.differences) == [])
  }

  @Test("after the drop the column is made again and filled by the map; what is lost is said before")
  func dropped() throws {
    var scene = try scene("return_dropped")
    scene.ledger.definition.migrate.grace = Milliseconds(0)
    try scene.retire()
    try scene.ledger.run("INSERT INTO public.transactions (id, state_id) VALUES (5000, 2)")
    try scene.retire(.dropped)
    let plan = try Rollback(
      definition: scene.ledger.definition, interrupt: interrupt, logger: LedgerDatabase.logger
    ).run(confirm: { _ in false }, report: { _ in }).plan
    #expect(plan.loses.count == 1)
    #expect(
      plan.loses.first?.hasPrefix("what went when status was dropped, and does not come back: texts that")
        == true)
    #expect(try scene.ledger.rollback(interrupt).first == "contract.not-null")
    #expect(try scene.columns() == ["state_id", "status"])
    #expect(try scene.differences() == [])
    #expect(
      try scene.ledger.column(
        "SELECT format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid = 'public.transactions'::regclass AND attname = 'status'"
      ) == ["text"])
    #expect(try scene.phase() == "cut over")
  }

  @Test(
    "after the drop a constant default comes back, and NOT NULL with it: new writers go on, and who leaves it out is derived"
  )
  func defaulted() throws {
    var scene = try scene("return_defaulted")
    scene.ledger.definition.migrate.grace = Milliseconds(0)
    try scene.ledger.run(
      "ALTER TABLE public.transactions ALTER status SET DEFAULT 'AUTH', ALTER status SET NOT NULL")
    try scene.retire()
    try scene.retire(.dropped)
    let plan = try Rollback(
      definition: scene.ledger.definition, interrupt: interrupt, logger: LedgerDatabase.logger
    ).run(confirm: { _ in false }, report: { _ in }).plan
    #expect(
      plan.loses.first?.hasSuffix(
        "the map does not hold, indexes, constraints and grants; it is made again NOT NULL with its default 'AUTH'::text, "
          + "and filled by the map") == true, "\(plan.loses)")
    let ledger = scene.ledger
    let id = Mutex(6_000)
    // At every moment, and in the bridge's too: what the default gives is not what the writer meant.
    try scene.ledger.rollback(interrupt) { news in
      guard case .ended(let outcome) = news, outcome.step.phase == .contracted,
        !outcome.step.title.hasPrefix("drop the bridge")
      else { return }
      let next = id.withLock { id in
        id += 1
        return id
      }
      do {
        try ledger.run("INSERT INTO public.transactions (id, state_id) VALUES (\(next), 2)")
      } catch {
        Issue.record("after \(outcome.step.title): \(error)")
      }
    }
    #expect(id.withLock { $0 } > 6_004)
    #expect(try scene.differences() == [])
    #expect(try scene.columns() == ["state_id", "status NOT NULL"])
    #expect(
      try scene.ledger.column(
        "SELECT pg_get_expr(adbin, adrelid) FROM pg_attrdef WHERE adrelid = 'public.transactions'::regclass")
        == ["'AUTH'::text"])
    try scene.ledger.run("INSERT INTO public.transactions (id, state_id) VALUES (7000, 2)")
  }

  @Test(
    "after the drop a default that is no constant does not come back, nor does NOT NULL: it says so, and new writers go on"
  )
  func undefaulted() throws {
    var scene = try scene("return_undefaulted")
    scene.ledger.definition.migrate.grace = Milliseconds(0)
    try scene.ledger.run(
      "ALTER TABLE public.transactions ALTER status SET DEFAULT upper('auth'), ALTER status SET NOT NULL")
    try scene.retire()
    try scene.retire(.dropped)
    let plan = try Rollback(
      definition: scene.ledger.definition, interrupt: interrupt, logger: LedgerDatabase.logger
    ).run(confirm: { _ in false }, report: { _ in }).plan
    #expect(plan.loses.first?.contains("hold, its default, indexes") == true, "\(plan.loses)")
    #expect(plan.loses.first?.hasSuffix("made again nullable, and filled by the map") == true)
    #expect(
      plan.keeps.contains(
        "status stays nullable: it has no default by which writers of state_id could leave it out"))
    try scene.ledger.rollback(interrupt)
    #expect(try scene.columns() == ["state_id", "status"])
    try scene.ledger.run("INSERT INTO public.transactions (id, state_id) VALUES (7000, 2)")
  }

  @Test(
    "a state without an old text is told before; its rows get NULL, and a column that was required stays nullable",
    .enabled(if: ContractScene.contractsBesideBridge, ContractScene.wantsMessages))
  func textless() throws {
    let scene = try scene("return_textless", bridge: true)
    try scene.ledger.run("ALTER TABLE public.transactions ALTER status SET NOT NULL")
    try scene.retire()
    try scene.ledger.run(
      "INSERT INTO public.transaction_state VALUES (9, 'disputed', NULL); INSERT INTO public.transactions (id, state_id) VALUES (5000, 9)"
    )
    let plan = try Rollback(
      definition: scene.ledger.definition, interrupt: interrupt, logger: LedgerDatabase.logger
    ).run(confirm: { _ in false }, report: { _ in }).plan
    #expect(plan.loses == ["rows of state 9 get NULL in status: the map has no old text for it"])
    #expect(plan.keeps.contains("status stays nullable: not every state of the map has an old text"))
    try scene.ledger.rollback(interrupt)
    #expect(try scene.columns() == ["state_id", "status"])
    #expect(
      try scene.ledger.column("SELECT coalesce(status, 'NULL') FROM public.transactions WHERE id = 5000") == [
        "NULL"
      ])
  }

  @Test(
    "broken off while both ways are to be derived again: what is said of it works, and contract does not cross it"
  )
  func brokenOff() throws {
    let scene = try scene("return_broken")
    try scene.retire()
    let ledger = scene.ledger
    #expect(throws: MigrationError.self) {
      try ledger.rollback(interrupt) { news in
        guard case .commits(let step) = news, step.id == "contract.direction" else { return }
        _ = try? ledger.column(
          "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() "
            + "AND application_name LIKE 'crossfade rollback%'")
      }
    }
    let connection = try ledger.connect()
    var broken: BrokenOff?
    let isSeen = try eventually(within: .seconds(10)) {
      broken = try BrokenOff.find(ledger.definition, on: connection)
      return broken != nil
    }
    #expect(isSeen)
    #expect(broken?.step == "contract.direction")
    #expect(broken?.mend == "run `crossfade rollback SLOT` again")
    #expect(throws: MigrationError.self) { try scene.retire() }
    try ledger.rollback(interrupt)
    #expect(try scene.phase() == "cut over")
  }

  @Test("without `crossfade run` it is refused, and nothing is done")
  func dead() async throws {
    let scene = try scene("return_dead")
    try scene.retire()
    await scene.runner.end()
    let error = #expect(throws: MigrationError.self) { try scene.ledger.rollback(interrupt) }
    #expect(
      error?.description.hasPrefix(
        "`crossfade run` is not at work: it is what keeps both columns in step once status is back") == true)
    #expect(try scene.columns() == ["state_id NOT NULL", "status_retired"])
  }

  @Test("a column that is an enum, in pages")
  func enumeration() throws {
    var scene = try scene("return_enum")
    scene.ledger.definition.backfill.batch = 100
    try scene.retire()
    try scene.ledger.run(
      """
      CREATE TYPE public.old_status AS ENUM ('AUTH', 'CAPTURED');
      ALTER TABLE public.transactions ALTER status_retired TYPE public.old_status USING status_retired::public.old_status;
      UPDATE public.transactions SET state_id = 3 - state_id WHERE id > 300
      """)
    try scene.ledger.rollback(interrupt)
    #expect(
      try scene.ledger.column(
        "SELECT count(*) FROM public.transactions t JOIN public.transaction_state m ON m.id = t.state_id WHERE t.status::text <> m.legacy_status OR t.status IS NULL"
      ) == ["0"])
  }
}
