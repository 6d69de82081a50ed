import Derivation
import LocalCluster
import PGOutput
import Postgres
import Testing

@testable import Migration

@Suite("Contract", .timeLimit(.minutes(10))) struct ContractTests {
  private let interrupt: Interrupt

  init() throws { interrupt = try #require(Interrupt()) }

  @Test("the whole: required, guarded, at rest, renamed; after the grace time dropped")
  func course() throws {
    var scene = try ContractScene("contract_course", interrupt)
    try #expect(scene.obstacles() == [])
    #expect(
      try scene.retire() == [
        "contract.check", "contract.check-validate", "contract.not-null", "contract.check-drop",
        "contract.guard",
        "contract.direction", "contract.rename",
      ])
    #expect(try scene.columns() == ["state_id NOT NULL", "status_retired"])
    #expect(try scene.remains() == [])
    #expect(try scene.phase() == "contracted")
    #expect(try scene.retire() == [])
    let early = try scene.obstacles(.all, .dropped)
    #expect(early.count == 1 && early[0].hasPrefix("phase: the old column is kept until 2"), "\(early)")
    #expect(try scene.retire(.dropped) == nil)
    scene.ledger.definition.migrate.grace = Milliseconds(0)
    #expect(try scene.retire(.dropped) == ["contract.drop"])
    #expect(try scene.columns() == ["state_id NOT NULL"])
    #expect(try scene.retire(.dropped) == [])
    let trail = try AuditTrail(slot: scene.ledger.definition.slot, connection: scene.ledger.connect()).read()
    #expect(trail?.faults ?? [] == [])
  }

  @Test("what is not confirmed is not done, and it says what it would do")
  func unconfirmed() throws {
    let scene = try ContractScene("contract_unconfirmed", interrupt)
    let result = try scene.contract().run(confirm: { _ in false }, report: { _ in })
    #expect(result.outcomes == nil)
    #expect(result.plan.steps.count == 7)
    #expect(result.plan.confirmation == "public.transactions.status")
    #expect(try scene.columns() == ["state_id", "status"])
  }

  @Test("quiet that is not reached refuses, with the number; a legacy write begins it anew, and is named")
  func quiet() throws {
    var scene = try ContractScene("contract_quiet", interrupt)
    scene.ledger.definition.migrate.quiet = .seconds(7_200)
    var found = try scene.obstacles()
    #expect(found.count == 2, "\(found)")
    #expect(
      found[0].hasPrefix(
        "legacy writes: no legacy write in the 1h 00m since the cutover; migrate.quiet asks for 2h of quiet, "
      ),
      "\(found)")
    scene.ledger.definition.migrate.quiet = .seconds(60)
    #expect(try scene.obstacles() == [])
    try scene.count(.old, ago: "20 seconds", application: "nightly")
    found = try scene.obstacles()
    #expect(found.count == 1)
    #expect(found[0].hasPrefix("legacy writes: the last legacy write by nightly was 2"), "\(found)")
    #expect(found[0].contains(" s ago; migrate.quiet asks for 1m of quiet, 3"), "\(found)")
    scene.ledger.definition.migrate.quiet = .seconds(0)
    let gates = try scene.contract().run(confirm: { _ in false }, report: { _ in }).plan.readiness.gates
    #expect(gates.contains { $0.found.hasSuffix(" s ago; migrate.quiet asks for no quiet") }, "\(gates)")
    scene.ledger.definition.migrate.quiet = .seconds(60)
    #expect(try scene.retire() == nil)
    #expect(try scene.columns() == ["state_id", "status"])
  }

  @Test("a stream that lags makes no quiet, and says how far it has seen")
  func lag() throws {
    let scene = try ContractScene("contract_lag", interrupt)
    try scene.count(.new, ago: "3590 seconds")
    let found = try scene.obstacles(.upTo(.init(rawValue: 32)))
    #expect(found.count == 3, "\(found)")
    #expect(found[0].hasPrefix("dual-write: the dual-write lags: it has seen what committed 59m"), "\(found)")
    #expect(
      found[1].contains("no legacy write in the 10 s since the cutover"), "\(found)")
  }

  @Test("without a dual-write it is refused")
  func dead() async throws {
    let scene = try ContractScene("contract_dead", interrupt)
    await scene.runner.end()
    let gone = try eventually(within: .seconds(10)) {
      try scene.obstacles().contains { $0.hasPrefix("dual-write: `crossfade run` is not at work") }
    }
    #expect(gone)
  }

  @Test("who writes both columns is in the way, as the rename would make it fail")
  func both() throws {
    let scene = try ContractScene("contract_both", interrupt)
    try scene.count(.both, ago: "10 seconds", application: "web")
    let found = try scene.obstacles()
    #expect(found.count == 1)
    #expect(found[0].hasPrefix("writes of both: the last write of both columns by web was 1"), "\(found)")
  }

  @Test("dependents refuse, by name")
  func dependents() throws {
    let scene = try ContractScene("contract_dependents", interrupt)
    try scene.ledger.run(
      "CREATE VIEW public.open_ones AS SELECT id FROM public.transactions WHERE status = 'AUTH'")
    #expect(try scene.obstacles() == ["dependents: view public.open_ones depends on status"])
    #expect(try scene.retire() == nil)
    try scene.ledger.run("DROP VIEW public.open_ones")
    #expect(try scene.retire()?.last == "contract.rename")
    try scene.ledger.run("CREATE VIEW public.late AS SELECT status_retired FROM public.transactions")
    var late = scene
    late.ledger.definition.migrate.grace = Milliseconds(0)
    #expect(try late.obstacles(.all, .dropped).contains { $0.hasPrefix("dependents: view public.late") })
  }

  @Test("quarantine, a phase before the cutover, a verification of before it: each is in the way")
  func others() throws {
    let scene = try ContractScene("contract_others", interrupt)
    try scene.ledger.run(
      """
      INSERT INTO crossfade.quarantine (slot, key, reason) VALUES ('\(scene.ledger.definition.slot)', '["1"]', 'odd');
      UPDATE crossfade.direction SET since_lsn = 'FFFF/0'; UPDATE crossfade.migration SET phase = 'verified'
      """)
    let names = try scene.obstacles().map { $0.prefix { $0 != ":" } }
    #expect(names == ["phase", "legacy writes", "writes of both", "verification", "quarantine"], "\(names)")
  }

  @Test("a legacy write that comes while the table is validated is seen before anything rests")
  func late() throws {
    let scene = try ContractScene("contract_late", interrupt)
    let error = #expect(throws: MigrationError.self) {
      try scene.retire {
        if case .ended(let outcome) = $0, outcome.step.id == "contract.guard" {
          try? scene.count(.old, ago: "0 seconds", application: "late")
        }
      }
    }
    #expect(
      error?.description.hasPrefix("before the rename this came: the last legacy write by late was ") == true,
      "\(String(describing: error))")
    #expect(try scene.columns() == ["state_id NOT NULL", "status"])
    #expect(try scene.ledger.column("SELECT asked FROM crossfade.direction") == ["both"])
    #expect(
      try scene.ledger.rollback(interrupt) == ["contract.guard", "contract.not-null"])
    #expect(try scene.columns() == ["state_id", "status"])
    #expect(try scene.remains() == [])
  }

  @Test("what an old writer meets on the way")
  func oldWriter() throws {
    let scene = try ContractScene("contract_old_writer", interrupt)
    try scene.retire(.rest)
    let old = try scene.ledger.connect("old")
    func state(_ sql: String) -> String? {
      do { try old.query(sql, purpose: "write") } catch {
        return error.sqlState?.rawValue
      }
      return nil
    }
    #expect(state("INSERT INTO public.transactions (id, status) VALUES (5000, 'AUTH')") == "23502")
    #expect(state("UPDATE public.transactions SET status = 'CAPTURED' WHERE id = 2") == "42703")
    #expect(state("UPDATE public.transactions SET status = 'AUTH' WHERE id = 2") == nil)
    #expect(state("UPDATE public.transactions SET state_id = 2 WHERE id = 2") == nil)
    #expect(state("SELECT status FROM public.transactions WHERE id = 2") == nil)
    try scene.retire()
    #expect(state("UPDATE public.transactions SET status = 'CAPTURED' WHERE id = 2") == "42703")
  }

  @Test("NOT NULL does not read the table: the check that was validated beside the traffic proves it")
  func noScan() throws {
    let scene = try ContractScene("contract_no_scan", interrupt, rows: 1_000_000)
    let outcomes = try #require(
      try scene.contract().run(confirm: { _ in true }, report: { _ in }).outcomes)
    func took(_ id: String) -> Int { outcomes.first { $0.step.id == id }?.took ?? -1 }
    let (read, required) = (took("contract.check-validate"), took("contract.not-null"))
    #expect(required * 3 < read, "not-null took \(required) ms, the read of the table \(read) ms")
  }

  @Test("a partitioned table, and a column that was required")
  func partitioned() throws {
    var scene = try ContractScene("contract_partitioned", interrupt, isPartitioned: true)
    try scene.ledger.run("ALTER TABLE public.transactions ALTER status SET NOT NULL")
    try scene.retire()
    #expect(try scene.columns() == ["state_id NOT NULL", "status_retired"])
    try scene.ledger.run("INSERT INTO public.transactions (id, state_id) VALUES (5000, 2), (5001, 1)")
    #expect(try scene.ledger.rollback(interrupt).contains("return.exchange"))
    // Nothing gives it a value where a new writer leaves it out.
    #expect(try scene.columns() == ["state_id", "status"])
    #expect(try scene.differences() == [])
    #expect(try scene.remains() == [])
    // Quiet counts from the way back on.
    #expect(try scene.retire() == nil)
    scene.ledger.definition.migrate.grace = Milliseconds(0)
    scene.ledger.definition.migrate.quiet = Milliseconds(0)
    try scene.retire()
    try scene.retire(.dropped)
    #expect(try scene.columns() == ["state_id NOT NULL"])
  }
}
