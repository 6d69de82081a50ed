import Derivation
import LocalCluster
import Postgres
import Testing

@testable import Migration

/// REPLICA IDENTITY on the way: what other publications say of the table decides whether it may come, and go.
@Suite("The replica identity after the cutover", .timeLimit(.minutes(10))) struct IdentityTests {
  private static let listsColumns = ((try? PostgresInstallation.find())?.majorVersion ?? 0) >= 15
  private static let wantsLists: Comment = "row filters and column lists came with 15"
  private let interrupt: Interrupt

  init() throws { interrupt = try #require(Interrupt()) }

  /// Cut over, with the identity's step in the account; `done` is ours to undo.
  private func scene(_ name: String, _ state: StepRecord.State = .done) throws -> ContractScene {
    var scene = try ContractScene(name, interrupt)
    scene.ledger.definition.migrate.grace = Milliseconds(0)
    try scene.ledger.run("ALTER TABLE public.transactions ADD COLUMN note text DEFAULT 'x'")
    let back = state == .found ? "[]" : #"["ALTER TABLE public.transactions REPLICA IDENTITY DEFAULT"]"#
    try scene.ledger.run(
      """
      INSERT INTO crossfade.step (slot, step, state, title, way_back)
      VALUES ('\(scene.ledger.definition.slot)', 'cutover.identity', '\(state.rawValue)', 'have the old row', '\(back)')
      """)
    return scene
  }

  private func identity(_ scene: ContractScene) throws -> [String] {
    try scene.ledger.column(
      "SELECT relreplident FROM pg_class WHERE oid = 'public.transactions'::regclass")
  }

  private static let filtered =
    "publication other_rows filters by note, which the replica identity of before does not hold: the application's updates would fail"

  @Test(
    "the drop waits while another publication filters by a column that the identity of before does not hold",
    .enabled(if: Self.listsColumns, Self.wantsLists))
  func filterBeforeDrop() throws {
    let scene = try scene("identity_drop")
    try scene.retire()
    try scene.ledger.run(
      "CREATE PUBLICATION other_rows FOR TABLE public.transactions WHERE (note <> 'q')")
    #expect(try scene.obstacles(.all, .dropped) == ["row filter: " + Self.filtered])
    #expect(try scene.retire(.dropped) == nil)
    #expect(try scene.columns().contains("status_retired"))
    // Made while the drop waits for its lock: the column goes, the identity stays until it may come back.
    try scene.ledger.run("ALTER PUBLICATION other_rows SET TABLE public.transactions WHERE (id > 0)")
    let ledger = scene.ledger
    let late = #expect(throws: MigrationError.self) {
      try scene.retire(.dropped) { news in
        guard case .ended(let outcome) = news, outcome.step.id == "contract.drop" else { return }
        try? ledger.run("ALTER PUBLICATION other_rows SET TABLE public.transactions WHERE (note <> 'q')")
      }
    }
    #expect(late?.description == "before the replica identity came back this came: " + Self.filtered)
    #expect(try identity(scene) == ["f"])
    #expect(try scene.obstacles(.all, .dropped) == ["row filter: " + Self.filtered])
    try scene.ledger.run(
      "UPDATE public.transactions SET note = 'y' WHERE id = 1; DROP PUBLICATION other_rows")
    #expect(try scene.retire(.dropped) == ["cutover.identity"])
    #expect(try identity(scene) == ["d"])
  }

  @Test(
    "the way back from the drop is refused while another publication lists columns; nothing is done",
    .enabled(if: Self.listsColumns, Self.wantsLists))
  func listBeforeReturn() throws {
    let scene = try scene("identity_return")
    try scene.retire()
    try scene.retire(.dropped)
    try scene.ledger.run("CREATE PUBLICATION other_cols FOR TABLE public.transactions (id, note)")
    let error = #expect(throws: MigrationError.self) { try scene.ledger.rollback(interrupt) }
    #expect(
      error?.description == "publication other_cols lists columns of public.transactions: with REPLICA "
        + "IDENTITY FULL the application's updates would fail")
    #expect(
      error?.hint
        == "publish the table there without a column list, or use migrate.bridge: trigger; then run "
        + "this again: nothing was done")
    #expect(try identity(scene) == ["d"])
    #expect(try scene.columns() == ["note", "state_id NOT NULL"])
    try scene.ledger.run(
      "UPDATE public.transactions SET note = 'y' WHERE id = 1; DROP PUBLICATION other_cols")
    #expect(try scene.ledger.rollback(interrupt).contains("cutover.identity"))
    #expect(try identity(scene) == ["f"])
    #expect(try scene.columns() == ["note", "state_id", "status"])
  }

  @Test(
    "a rollback that would take FULL back asks for the same, before anything is done",
    .enabled(if: Self.listsColumns, Self.wantsLists), arguments: [StepRecord.State.done, .failed])
  func filterBeforeRollback(_ state: StepRecord.State) async throws {
    let scene = try scene("identity_rollback_\(state)", state)
    await scene.runner.end()
    try scene.ledger.run(
      """
      UPDATE crossfade.direction SET asked = 'forward', standing = 'forward';
      UPDATE crossfade.migration SET phase = 'verified';
      CREATE PUBLICATION other_rows FOR TABLE public.transactions WHERE (note <> 'q')
      """)
    let before = try scene.columns()
    let error = #expect(throws: MigrationError.self) { try scene.ledger.rollback(interrupt) }
    #expect(error?.description == Self.filtered)
    #expect(error?.hint?.hasSuffix("take public.transactions out of it first; nothing was done") == true)
    #expect(try scene.columns() == before)
    try scene.ledger.run("DROP PUBLICATION other_rows")
    #expect(try scene.ledger.rollback(interrupt).contains("cutover.identity"))
    #expect(try identity(scene) == ["d"])
  }

  @Test("FULL that was found and not made stays, and each way that ends the need for it says so")
  func kept() throws {
    let scene = try scene("identity_kept", .found)
    let says =
      "REPLICA IDENTITY FULL of public.transactions, which stood before `crossfade cutover` came to it. If it was set for this "
      + #"migration: ALTER TABLE "public"."transactions" REPLICA IDENTITY DEFAULT;  -- DEFAULT, or what it was"#
    try scene.ledger.run(
      """
      INSERT INTO crossfade.step (slot, step, state, title, way_back)
      VALUES ('\(scene.ledger.definition.slot)', 'cutover.publication', 'done', 'publish all', '["SELECT 1"]');
      CREATE PUBLICATION identity_kept FOR TABLE public.transactions
      """)
    var options = CutoverOptions()
    options.patience = 100
    let plan = try Cutover(
      definition: scene.ledger.definition, options: options, interrupt: interrupt,
      logger: LedgerDatabase.logger
    ).forwardOnlyPlan()
    #expect(plan.keeps == [says])
    // A list of columns beside FULL would make the application's updates fail.
    #expect(!plan.steps.contains { $0.id == "cutover.publication" })
    try scene.retire()
    let dropped = try scene.contract(.dropped).run(confirm: { _ in true }, report: { _ in })
    #expect(dropped.plan.keeps == [says])
    #expect(dropped.outcomes?.map(\.step.id) == ["contract.drop"])
    #expect(try identity(scene) == ["f"])
  }
}
