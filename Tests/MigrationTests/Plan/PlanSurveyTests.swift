import Derivation
import LocalCluster
import Postgres
import Testing

@testable import Migration

@Suite("Making the plan", .timeLimit(.minutes(5))) struct PlanSurveyTests {
  private func plan(_ ledger: LedgerDatabase, accepted: Set<Hazard> = []) throws -> Plan {
    let survey = PlanSurvey(definition: ledger.definition)
    let interrupt = try #require(Interrupt())
    return try survey.take(accepted: accepted, on: try survey.connect(interrupt))
  }

  private func problems(_ plan: Plan) -> [String] {
    // Whether the log's directory can be made depends on who runs the tests.
    plan.findings.filter { $0.level == .fail && $0.subject != "log directory" }.map(\.subject)
  }

  @Test("before expand: what expand will make is no fault, and all steps are still to be done")
  func pristine() throws {
    let ledger = try LedgerDatabase("survey_pristine")
    try ledger.prepare("INSERT INTO transactions VALUES (1, 'AUTH'), (2, 'CAPTURED')")
    let found = try plan(ledger)
    #expect(problems(found) == [])
    #expect(
      found.findings.first { $0.subject == "new column" }?.found
        == "public.transactions has no column state_id yet: step expand.column sees to it")
    // Nor is what would take something away done because nothing is there yet: an old column that may be left out, say.
    #expect(found.entries.filter(\.isDone).map(\.step.id) == [])
    #expect(found.entries.count == (ledger.cluster.installation.majorVersion >= 15 ? 23 : 22))
    #expect(
      found.findings.contains {
        $0.subject == "coverage" && $0.found.hasSuffix("are in the map of the definition")
      })
  }

  @Test("a status that the definition lacks fails before anything is made")
  func uncovered() throws {
    let ledger = try LedgerDatabase("survey_uncovered")
    try ledger.prepare("INSERT INTO transactions VALUES (1, 'AUTH'), (2, 'lost')")
    let coverage = try plan(ledger).findings.filter { $0.subject == "coverage" }
    #expect(coverage.map(\.level) == [.fail])
    #expect(coverage.first?.fix == "add {id: ID, code: CODE, status: 'lost'} to derive.map.states")
  }

  @Test(
    "an old column that is required is let go, and required again by the way back; one that never was is left alone"
  )
  func required() throws {
    let ledger = try LedgerDatabase("survey_required")
    try ledger.prepare("INSERT INTO transactions VALUES (1, 'AUTH')")
    func files() throws -> [String] {
      Emission(try plan(ledger)).files(for: .sql).map(\.path).filter { $0.contains("cutover_nullable") }
    }
    let hash = try plan(ledger).hash
    #expect(try files() == [])
    #expect(try !plan(ledger).entries.contains { $0.step.id == "cutover.nullable" })
    // Who leaves it out gets the default: it stays NOT NULL through the cutover.
    try ledger.run(
      "ALTER TABLE public.transactions ALTER status SET DEFAULT 'AUTH', ALTER status SET NOT NULL")
    #expect(try files() == [])
    try ledger.run("ALTER TABLE public.transactions ALTER status DROP DEFAULT")
    #expect(try files().map { $0.hasSuffix(".up.sql") } == [true, false])
    #expect(try plan(ledger).hash == hash)
  }

  @Test("what stands is done, the hash stays, and what contraction takes away is not done before it began")
  func advanced() throws {
    let ledger = try LedgerDatabase("survey_advanced")
    let before = try plan(ledger)
    let interrupt = try #require(Interrupt())
    _ = try ledger.expand(interrupt)
    try ledger.run("CREATE INDEX CONCURRENTLY by_state ON public.transactions (state_id)")
    let after = try plan(ledger)
    #expect(after.hash == before.hash)
    #expect(
      after.entries.filter(\.isDone).map(\.step.id) == [
        "expand.schema", "expand.map", "expand.states", "expand.column", "backfill.index",
      ])
  }

  @Test("hazards of what is left count until they are accepted, by definition or command line")
  func hazards() throws {
    var ledger = try LedgerDatabase("survey_hazards")
    ledger.definition.migrate.accepted = [.accessExclusiveLock, .indexBuild]
    let found = try plan(ledger, accepted: [.correctness])
    #expect(
      found.unaccepted == [
        .shareRowExclusiveLock, .performance, .hotReference, .untrackableDependencies, .deletesData,
      ])
    #expect(found.hazards.first?.steps.first == "expand.column")
    #expect(!found.isReady)
  }

  @Test("a role that may only read makes the same plan, and nothing is changed by it")
  func reader() throws {
    var ledger = try LedgerDatabase("survey_reader")
    try ledger.prepare(
      """
      INSERT INTO transactions VALUES (1, 'AUTH');
      CREATE ROLE survey_reader LOGIN;
      ALTER ROLE survey_reader SET default_transaction_read_only = on;
      GRANT SELECT ON transactions TO survey_reader;
      """)
    let whole = try plan(ledger)
    let catalogs = """
      SELECT md5(string_agg(c::text, '' ORDER BY c.oid)) FROM pg_class c WHERE relnamespace <> 'pg_toast'::regnamespace
         AND relkind <> 't'
      UNION ALL SELECT md5(string_agg(a::text, '' ORDER BY attrelid, attnum)) FROM pg_attribute a
      UNION ALL SELECT md5(string_agg(n::text, '' ORDER BY oid)) FROM pg_namespace n
      UNION ALL SELECT count(*)::text FROM pg_replication_slots UNION ALL SELECT count(*)::text FROM pg_publication
      """
    let before = try ledger.column(catalogs)
    ledger.definition.source = ConnectionString(
      ledger.cluster.conninfo(database: ledger.name, user: "survey_reader"))
    let found = try plan(ledger)
    #expect(found.hash == whole.hash)
    #expect(found.entries == whole.entries)
    #expect(found.findings.contains { $0.subject == "role" && $0.level == .fail })
    ledger.definition.source = ConnectionString(ledger.cluster.conninfo(database: ledger.name))
    #expect(try ledger.column(catalogs) == before)
  }

  @Test("a table that is not there is a fault, and the plan is shown all the same")
  func missing() throws {
    var ledger = try LedgerDatabase("survey_missing")
    ledger.definition.derive.table = try QualifiedName(sql: "public.nothing")
    let found = try plan(ledger)
    #expect(problems(found).contains("table"))
    #expect(found.sizes == [])
    #expect(found.entries.count == (ledger.cluster.installation.majorVersion >= 15 ? 23 : 22))
    #expect(found.total.isEmpty)
  }
}
