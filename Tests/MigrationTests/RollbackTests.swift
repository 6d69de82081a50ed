import Derivation
import LocalCluster
import Postgres
import Testing

@testable import Migration

@Suite("Rollback", .timeLimit(.minutes(10))) struct RollbackTests {
  private let interrupt: Interrupt

  init() throws { interrupt = try #require(Interrupt()) }

  /// The plan, not confirmed.
  private func plan(_ ledger: LedgerDatabase) throws -> RollbackPlan {
    try Rollback(definition: ledger.definition, interrupt: interrupt, logger: LedgerDatabase.logger)
      .run(confirm: { _ in false }, report: { _ in }).plan
  }

  @Test("it says what it will do, in the order in which it will, and does nothing until told to")
  func says() throws {
    var ledger = try LedgerDatabase("rollback_says")
    ledger.definition.migrate.bridge = .trigger
    try ledger.expand(interrupt)
    try ledger.backfilled()
    try ledger.constrain(interrupt)
    let standing = try ledger.standing()
    let plan = try plan(ledger)
    #expect(try ledger.standing() == standing)
    #expect(plan.phase == .backfilled)
    #expect(
      plan.steps.map(\.id) == [
        "backfill.foreign-key", "backfill.index", "expand.bridge", "expand.column", "expand.states",
        "expand.map",
      ])
    #expect(plan.capture == ["delete the progress of its backfill"])
    #expect(plan.keeps == ["schema crossfade stays: it holds the audit trail"])
    #expect(
      plan.loses == [
        "the values of public.transactions.state_id: each is derived from status, and can be again"
      ])
    #expect(plan.confirmation == "public.transactions.state_id")
    #expect(
      try ledger.rollback(interrupt) == [
        "backfill.foreign-key", "backfill.index", "expand.bridge", "expand.column", "expand.states",
        "expand.map",
      ])
    #expect(try ledger.standing() == [])
    #expect(try ledger.column("SELECT phase FROM crossfade.migration") == ["planned"])
    #expect(
      try ledger.column("SELECT DISTINCT state FROM crossfade.step WHERE step <> 'expand.schema'") == [
        "undone"
      ])
    #expect(try self.plan(ledger).isEmpty)
  }

  @Test("what stood before stays, and so do the states that were in the map")
  func found() throws {
    let ledger = try LedgerDatabase("rollback_found")
    try ledger.run(
      "CREATE TABLE public.transaction_state (id bigint PRIMARY KEY, code text, legacy_status text UNIQUE); "
        + "INSERT INTO public.transaction_state VALUES (1, 'authorized', 'AUTH')")
    try ledger.expand(interrupt)
    #expect(
      try plan(ledger).keeps.first == "stood before, and stays: make map table public.transaction_state")
    try ledger.rollback(interrupt)
    #expect(try ledger.column("SELECT id FROM public.transaction_state") == ["1"])
    #expect(try ledger.standing() == ["map"])
  }

  @Test("a column that stood before stays")
  func foundColumn() throws {
    let ledger = try LedgerDatabase("rollback_column", table: "id bigint PRIMARY KEY, state_id bigint")
    try ledger.expand(interrupt)
    try ledger.rollback(interrupt)
    #expect(try ledger.standing() == ["column"])
  }

  @Test(
    "a map that another slot, or another column's foreign key, needs stays, and goes with the last of them")
  func sharedMap() throws {
    let ledger = try LedgerDatabase("rollback_shared")
    try ledger.run("CREATE TABLE public.refunds (id bigint PRIMARY KEY, status text)")
    var other = ledger
    other.definition.slot = "s_rollback_refunds"
    other.definition.derive.table = try QualifiedName(sql: "public.refunds")
    try ledger.expand(interrupt)
    try other.expand(interrupt)
    #expect(
      try plan(ledger).keeps.first
        == "public.transaction_state stays with its states: slot s_rollback_refunds needs it")
    #expect(try ledger.rollback(interrupt) == ["expand.column"])
    #expect(try ledger.standing() == ["map"])
    // Its own account holds it as found: it is not the other's to drop.
    #expect(try other.rollback(interrupt) == ["expand.column"])
    #expect(try ledger.column("SELECT count(*) FROM public.transaction_state") == ["2"])

    let alone = try LedgerDatabase("rollback_referenced")
    try alone.expand(interrupt)
    try alone.run(
      "CREATE TABLE public.refunds (state bigint CONSTRAINT refund_state REFERENCES public.transaction_state)"
    )
    #expect(
      try plan(alone).keeps.first
        == "public.transaction_state stays with its states: foreign key refund_state of public.refunds needs it"
    )
    try alone.run("DROP TABLE public.refunds")
    #expect(try alone.rollback(interrupt) == ["expand.column", "expand.states", "expand.map"])
  }

  @Test("a definition of another column is refused under a slot that has begun, forward and back")
  func otherColumn() throws {
    let ledger = try LedgerDatabase("rollback_other_column")
    try ledger.expand(interrupt)
    var other = ledger
    other.definition.derive.to = try Identifier("state_id2")
    for attempt in [{ _ = try other.expand(interrupt) }, { _ = try plan(other) }] {
      let error = try #require(throws: MigrationError.self) { try attempt() }
      #expect(
        "\(error)".contains(
          "it began with \"add nullable column state_id to public.transactions\", and this definition is of "
            + "public.transactions.state_id2"), "\(error)")
    }
    #expect(try ledger.standing() == ["map", "column"])
    // Once it is rolled back the slot is free for another.
    try ledger.rollback(interrupt)
    try other.expand(interrupt)
  }

  @Test("states that were added later go with those that were added before, from a map that stood")
  func laterStates() throws {
    var ledger = try LedgerDatabase("rollback_later_states")
    try ledger.run(
      "CREATE TABLE public.transaction_state (id bigint PRIMARY KEY, code text, legacy_status text UNIQUE); "
        + "INSERT INTO public.transaction_state VALUES (9, 'old', 'OLD')")
    try ledger.expand(interrupt)
    ledger.definition.derive.map.states.append(State(id: "3", code: "settled", status: "Settled"))
    try ledger.expand(interrupt)
    #expect(try ledger.column("SELECT count(*) FROM public.transaction_state") == ["4"])
    try ledger.rollback(interrupt)
    #expect(try ledger.column("SELECT id FROM public.transaction_state") == ["9"])
  }

  @Test("a definition that has changed since does not matter: what was made is undone")
  func changedDefinition() throws {
    var ledger = try LedgerDatabase("rollback_changed")
    ledger.definition.migrate = .init(index: .before, bridge: .trigger)
    try ledger.expand(interrupt)
    #expect(try ledger.standing() == ["map", "column", "index true", "trigger", "trigger"])
    ledger.definition.migrate = .init(index: .none, foreignKey: .none)
    try ledger.rollback(interrupt)
    #expect(try ledger.standing() == [])
  }

  @Test("a dependent of the column keeps it, and is named; without it, the rollback goes on")
  func dependents() throws {
    let ledger = try LedgerDatabase("rollback_dependents")
    try ledger.expand(interrupt)
    try ledger.run("CREATE VIEW public.states AS SELECT state_id FROM public.transactions")
    let error = #expect(throws: MigrationError.self) { try ledger.rollback(interrupt) }
    #expect(
      error?.description.contains(
        "view public.states depends on column state_id of table public.transactions") == true,
      "\(String(describing: error))")
    #expect(try ledger.account().contains("expand.column done"))
    try ledger.run("DROP VIEW public.states")
    try ledger.rollback(interrupt)
    #expect(try ledger.standing() == [])
  }

  @Test(
    "while the dual-write or the backfill is at work it is refused, and the holder is named",
    arguments: ["crossfade", "crossfade backfill"])
  func busy(_ lock: String) throws {
    let ledger = try LedgerDatabase("rollback_busy_\(lock.count)")
    try ledger.expand(interrupt)
    let holder = try ledger.connect("somebody at work")
    try holder.query(
      "SELECT pg_advisory_lock(hashtext($1), hashtext($2))", [.text(lock), .text(ledger.definition.slot)],
      purpose: "hold")
    let error = #expect(throws: MigrationError.self) { try ledger.rollback(interrupt) }
    let what = lock == "crossfade" ? "crossfade run" : lock
    #expect(
      error?.description.hasPrefix(
        "`\(what)` is at work: somebody at work, server process \(holder.backendPID), since 2") == true,
      "\(String(describing: error))")
    #expect(try ledger.standing() == ["map", "column"])
  }

  @Test("while both ways are derived it is refused; what readers are told goes back first")
  func cutOver() throws {
    let ledger = try LedgerDatabase("rollback_cut_over")
    try ledger.expand(interrupt)
    try ledger.run(
      """
      UPDATE crossfade.migration SET phase = 'cut over';
      INSERT INTO crossfade.direction (slot, asked, standing) VALUES ('\(ledger.definition.slot)', 'both', 'both')
      """)
    let told = try plan(ledger)
    #expect(told.goal == .verified)
    #expect(told.steps.map(\.title) == ["tell applications to read status again, at once"])
    try ledger.run("UPDATE crossfade.migration SET phase = 'verified'")
    let error = #expect(throws: MigrationError.self) { try ledger.rollback(interrupt) }
    #expect(error?.description.hasPrefix("status is derived from state_id too: applications may") == true)
  }

  @Test("where nothing ever was, there is nothing to do")
  func nothing() throws {
    let ledger = try LedgerDatabase("rollback_nothing")
    #expect(try ledger.rollback(interrupt) == [])
  }

  @Test("it waits for its locks as patiently as the way forward")
  func patient() async throws {
    var ledger = try LedgerDatabase("rollback_patient")
    ledger.definition.migrate.lockBudget = .seconds(2)
    try ledger.expand(interrupt)
    let holder = try ledger.connect("a long report")
    try holder.script("BEGIN; SELECT count(*) FROM public.transactions", purpose: "hold the lock")
    let error = #expect(throws: MigrationError.self) { try ledger.rollback(interrupt) }
    #expect(
      error?.description.hasPrefix(
        "could not undo: add nullable column state_id to public.transactions: the lock was not free in ")
        == true,
      "\(String(describing: error))")
    try holder.script("COMMIT", purpose: "let go")
    try ledger.rollback(interrupt)
    #expect(try ledger.standing() == [])
  }
}
