import Derivation
import LocalCluster
import Postgres
import Testing

@testable import Migration

@Suite("Rehearsals", .timeLimit(.minutes(3)), .serialized) struct RehearsalTests {
  private let interrupt: Interrupt

  init() throws { interrupt = try #require(Interrupt()) }

  private func rehearse(
    _ ledger: LedgerDatabase, rows: Int = 1_000, on place: String? = nil
  ) throws -> RehearsalCourse {
    try Rehearsal(
      definition: ledger.definition, rows: rows, on: place, interrupt: interrupt,
      logger: LedgerDatabase.logger
    ).run { _ in }.course
  }

  /// What a rehearsal may not leave: a schema of its own, an account beside the slot's, a function of a bridge.
  private func left(_ ledger: LedgerDatabase) throws -> [String] {
    try ledger.column(
      """
      SELECT nspname::text FROM pg_namespace WHERE nspname LIKE 'crossfade\\_%'
      UNION ALL SELECT 'audit of ' || slot FROM crossfade.audit WHERE slot <> '\(ledger.definition.slot)'
      UNION ALL SELECT 'migration ' || slot FROM crossfade.migration WHERE slot <> '\(ledger.definition.slot)'
      UNION ALL SELECT 'step of ' || slot FROM crossfade.step UNION ALL SELECT 'checkpoint' FROM crossfade.checkpoint
      UNION ALL SELECT 'backfill' FROM crossfade.backfill UNION ALL SELECT 'function ' || proname FROM pg_proc
        WHERE proname LIKE 'bridge\\_%'
      """)
  }

  private let awkward =
    "id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, amount bigint NOT NULL DEFAULT 7 CHECK (amount > 0), "
    + "twice bigint GENERATED ALWAYS AS (amount * 2) STORED"

  @Test(
    "passes before anything is made, on a table with identity, default, check and generated column; leaves a proof alone"
  )
  func passes() throws {
    var ledger = try LedgerDatabase("rehearsal_passes", table: awkward)
    ledger.definition.migrate.bridge = .trigger
    try ledger.run(
      "INSERT INTO public.transactions (status) SELECT 'AUTH' FROM generate_series(1, 5000); ANALYZE public.transactions"
    )
    let course = try rehearse(ledger)
    #expect(course.failure == nil)
    #expect(course.rows == 1_000 && course.tableRows == 5_000 && course.verified == 1_000)
    #expect(
      course.parts.map(\.name) == [
        "copy", "expand", "backfill", "constrain", "verify", "rollback", "compare",
      ])
    #expect(try left(ledger) == [])
    #expect(try ledger.standing() == [])

    let session = try ledger.connect()
    let facts = try StepFacts.ask(ledger.definition.derive, on: session)
    let hash = PlanHash.of(ledger.definition, facts: facts).description
    let proof = try #require(
      try RehearsalProof.latest(slot: ledger.definition.slot, planHash: hash, on: session))
    #expect(proof.result == .passed && proof.role == "postgres" && proof.age < 60)
    #expect(try RehearsalProof.latest(slot: ledger.definition.slot, planHash: "another", on: session) == nil)
    let trail = try #require(try AuditTrail(slot: ledger.definition.slot, connection: session).read())
    #expect(trail.faults == [] && trail.rows.map(\.event) == ["rehearsed"])
    // And the plan is the same when it is carried out.
    _ = try ledger.expand(interrupt)
    let later = try StepFacts.ask(ledger.definition.derive, on: try ledger.connect())
    #expect(PlanHash.of(ledger.definition, facts: later).description == hash)
    // In the middle of the migration it begins where that began.
    let again = try rehearse(ledger, rows: 10_000)
    #expect(again.failure == nil && again.rows == 5_000)
    #expect(try ledger.standing().sorted() == ["column", "map", "trigger", "trigger"])
  }

  @Test("a status that the map does not know fails it, and that is kept") func unmapped() throws {
    let ledger = try LedgerDatabase("rehearsal_unmapped")
    try ledger.run("INSERT INTO public.transactions VALUES (1, 'AUTH'), (2, 'auth')")
    let course = try rehearse(ledger)
    #expect(
      course.failure == "of 2 rows of the clone not all are right: 1 unmapped, first [\"2\"] with 'auth'")
    #expect(try left(ledger) == [])
    let proofs = try RehearsalProof.load(slot: ledger.definition.slot, on: try ledger.connect())
    #expect(proofs.map(\.result) == [.failed])
  }

  @Test("a schema of its name that it did not make is refused, and left") func foreign() throws {
    let ledger = try LedgerDatabase("rehearsal_foreign")
    try ledger.run(
      "CREATE SCHEMA crossfade_rehearsal_s_rehearsal_foreign; CREATE TABLE crossfade_rehearsal_s_rehearsal_foreign.x ()"
    )
    #expect {
      try rehearse(ledger)
    } throws: {
      "\($0)".hasPrefix("schema crossfade_rehearsal_s_rehearsal_foreign is there, and no rehearsal made it")
    }
    #expect(
      try ledger.column("SELECT to_regclass('crossfade_rehearsal_s_rehearsal_foreign.x') IS NOT NULL") == [
        "t"
      ])
  }

  @Test("on a copy, the proof is kept at home") func elsewhere() throws {
    let (home, copy) = (try LedgerDatabase("rehearsal_home"), try LedgerDatabase("rehearsal_copy"))
    try copy.run("INSERT INTO public.transactions SELECT n, 'CAPTURED' FROM generate_series(1, 300) AS n")
    let course = try rehearse(home, on: copy.cluster.conninfo(database: copy.name))
    #expect(course.failure == nil && course.verified == 300)
    #expect(
      course.place == "schema crossfade_rehearsal_s_rehearsal_home of database rehearsal_copy on the copy")
    #expect(try home.column("SELECT result FROM crossfade.rehearsal") == ["passed"])
    #expect(try copy.column("SELECT count(*) FROM crossfade.rehearsal") == ["0"])
    #expect(try left(home) == [] && left(copy) == [])
  }

  @Test("a second one is told who is at it") func twice() throws {
    let ledger = try LedgerDatabase("rehearsal_twice")
    let holder = try ledger.connect("somebody")
    try holder.query(
      "SELECT pg_advisory_lock(hashtext('crossfade rehearsal'), hashtext($1))",
      [.text(ledger.definition.slot)],
      purpose: "hold the lock")
    #expect { try rehearse(ledger) } throws: {
      "\($0)".contains("is being worked on: somebody, server process ")
    }
  }
}
