import Derivation
import LocalCluster
import Postgres
import Testing

@testable import Migration

@Suite("What steps will cost", .timeLimit(.minutes(5))) struct EstimatorTests {
  private static let sizes = SizeFacts(
    rows: 1_000_000, heapBytes: 120_000_000, indexBytes: 0, toastBytes: 0, databaseBytes: 0,
    analyzed: "2026-01-01 00:00 UTC", changedSince: 0, indexes: 1, writesFullPages: true)

  private func estimates(
    _ sizes: SizeFacts = sizes, _ change: (inout SlotDefinition) -> Void = { _ in },
    facts: StepFacts = PlanHashTests.facts
  ) throws -> [String: Estimate] {
    let definition = try PlanHashTests.definition(change)
    let estimator = Estimator(definition: definition, sizes: sizes)
    return Dictionary(
      uniqueKeysWithValues: MigrationSteps(definition, facts: facts).all.map {
        ($0.id, estimator.estimate($0))
      })
  }

  @Test(
    "steps that read or write rows, or make each write larger, have figures; those that change the catalogs none"
  )
  func which() throws {
    let found = try estimates().filter { !$0.value.isEmpty }.keys.sorted()
    #expect(
      found == [
        "backfill.index", "backfill.rows", "backfill.validate", "contract.check-validate", "cutover.identity",
        "verify.whole",
      ])
  }

  @Test("no figure is without its evidence")
  func evidence() throws {
    for (step, estimate) in try estimates() {
      for figure in [estimate.rows, estimate.seconds, estimate.wal, estimate.disk].compactMap({ $0 }) {
        #expect(figure.evidence.count > 10, "\(step)")
        #expect(figure.amount >= 0 && figure.amount.isFinite, "\(step)")
      }
    }
  }

  @Test("the backfill's rate is the assumed one less the rests, or what was seen of this slot")
  func rate() throws {
    let flat = try #require(try estimates()["backfill.rows"]?.seconds)
    #expect(Int(flat.amount.rounded()) == 7)
    #expect(flat.evidence == "at 150,000 rows/s; 150,000 assumed: measured elsewhere, docs/plan.md")
    let rested = try estimates(Self.sizes) {
      $0.backfill.batch = 1_000
      $0.backfill.pause = Milliseconds(10)
    }
    let slow = try #require(rested["backfill.rows"]?.seconds)
    #expect(Int(slow.amount.rounded()) == 17)
    #expect(slow.evidence.hasSuffix("less rests of 10ms after 1000 rows"))
    let seen = changed(Self.sizes) { $0.earlier = .init(rows: 200_000, seconds: 100) }
    let known = try #require(try estimates(seen)["backfill.rows"]?.seconds)
    #expect(known.amount == 500)
    #expect(known.evidence == "this slot's own backfill so far: 200,000 rows in 100 s, rests included")
  }

  @Test("an empty or unknown table costs nothing, and divides by nothing")
  func empty() throws {
    let none = changed(Self.sizes) {
      $0.rows = 0
      $0.heapBytes = 0
    }
    for (_, estimate) in try estimates(none) {
      #expect(estimate.seconds.map { $0.amount == 0 } ?? true)
    }
  }

  @Test("a partition's index costs its part of the table's bytes")
  func partitions() throws {
    let table = try QualifiedName(sql: "public.transactions")
    let (low, high) = (try QualifiedName(sql: "public.low"), try QualifiedName(sql: "public.high"))
    let facts = changed(PlanHashTests.facts) {
      $0.isPartitioned = true
      $0.partitions = [.init(name: low, parent: table), .init(name: high, parent: table)]
    }
    let sizes = changed(Self.sizes) {
      $0.partitions = [low.quoted: 30_000_000, high.quoted: 90_000_000]
    }
    let found = try estimates(sizes, facts: facts)
    #expect(found["backfill.index:public.low"]?.rows?.amount == 250_000)
    #expect(found["backfill.index:public.high"]?.rows?.amount == 750_000)
    #expect(found["backfill.validate:public.low"]?.rows?.amount == 250_000)
    #expect(found["backfill.index-parent"]?.isEmpty == true)
  }

  @Test("a real backfill writes about the WAL that was foretold, and its index is about as large")
  func real() throws {
    let ledger = try LedgerDatabase("estimator_real", table: "id bigint PRIMARY KEY, pad text")
    try ledger.prepare(
      """
      INSERT INTO transactions SELECT n, repeat('x', 80), CASE n % 2 WHEN 0 THEN 'AUTH' ELSE 'CAPTURED' END
        FROM generate_series(1, 60000) n;
      ALTER TABLE transactions ADD COLUMN state_id bigint;
      """)
    try ledger.prepare("VACUUM ANALYZE transactions")
    let connection = try ledger.connect()
    let table = try #require(try TableFacts.ask(ledger.definition.derive.table, connection))
    let sizes = try SizeFacts.ask(
      table.oid, ledger.definition.derive.table, slot: "x", readsProgress: false, connection)
    let estimator = Estimator(definition: ledger.definition, sizes: sizes)
    let steps = MigrationSteps(ledger.definition, facts: PlanHashTests.facts)
    let foretold = estimator.estimate(steps.rows)
    // Full pages are written after a checkpoint only.
    try ledger.prepare("CHECKPOINT")
    let start = try ledger.column("SELECT pg_current_wal_insert_lsn()")[0]
    try ledger.prepare("UPDATE transactions SET state_id = CASE status WHEN 'AUTH' THEN 1 ELSE 2 END")
    let written = try #require(
      try Double(ledger.column("SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '\(start)')")[0]))
    let wal = try #require(foretold.wal?.amount)
    #expect((0.6...1.6).contains(wal / written), "foretold \(wal), written \(written)")
    try ledger.prepare("CREATE INDEX by_state ON transactions (state_id)")
    let bytes = try #require(try Double(ledger.column("SELECT pg_relation_size('public.by_state')")[0]))
    let step = try #require(steps.constrain.first)
    let index = try #require(estimator.estimate(step).disk?.amount)
    #expect((0.7...1.4).contains(index / bytes), "foretold \(index), built \(bytes)")
  }
}
