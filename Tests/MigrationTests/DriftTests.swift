import Derivation
import Postgres
import Testing

@testable import Migration

@Suite("What has changed since a plan was accepted", .timeLimit(.minutes(2))) struct DriftTests {
  private let before = TableSketch(rows: 100_000, parts: ["indexes": ["a", "b"], "triggers": ["t"]])

  @Test("what came and what went is named; a table may grow by a fifth")
  func differences() {
    #expect(before.differences(to: before) == [])
    #expect(before.differences(to: TableSketch(rows: 119_000, parts: before.parts)) == [])
    #expect(
      before.differences(
        to: TableSketch(rows: 150_000, parts: ["indexes": ["b", "c"], "views of status": ["v"]])) == [
          "about 150,000 rows, 50 % more than 100,000", "indexes: new c", "indexes: gone a",
          "triggers: gone t",
          "views of status: new v",
        ])
    #expect(
      TableSketch(rows: 0, parts: [:]).differences(to: TableSketch(rows: 500, parts: [:])) == [])
  }

  @Test(
    "a plan that is carried out is remembered; the next one tells what has changed, what we made ourselves apart"
  )
  func remembered() throws {
    let interrupt = try #require(Interrupt())
    let ledger = try LedgerDatabase("plan_drift")
    func drift() throws -> Finding? {
      let survey = PlanSurvey(definition: ledger.definition)
      return try survey.take(on: try survey.connect(interrupt)).findings.first { $0.subject == "drift" }
    }
    #expect(try drift() == nil)
    let facts = try StepFacts.ask(ledger.definition.derive, on: try ledger.connect())
    let hash = PlanHash.of(ledger.definition, facts: facts)
    let gate = PlanGate(named: hash.short, accepted: Set(Hazard.allCases))
    _ = try Expand(
      definition: ledger.definition, interrupt: interrupt, logger: LedgerDatabase.logger, gate: gate
    ).run { _ in }
    try ledger.backfilled()
    _ = try ledger.constrain(interrupt)
    #expect(try drift()?.level == .pass)
    try ledger.run(
      "CREATE VIEW public.shown AS SELECT status FROM public.transactions; CREATE INDEX extra ON public.transactions (status)"
    )
    let found = try #require(try drift())
    #expect(found.level == .warn)
    #expect(found.found.hasPrefix("plan \(hash.short) was accepted "))
    #expect(
      found.found.hasSuffix("; since then: indexes: new extra; views of status: new public.shown"),
      "\(found.found)")
    let trail = try #require(
      try AuditTrail(slot: ledger.definition.slot, connection: try ledger.connect()).read())
    #expect(trail.faults == [] && trail.rows.count { $0.event == "accepted" } == 1)
  }
}
