import Derivation
import LocalCluster
import Postgres
import Testing

@testable import Migration

@Suite("The steps of a migration", .timeLimit(.minutes(10))) struct MigrationStepsTests {
  private static func steps(
    _ facts: StepFacts? = nil, _ migrate: SlotDefinition.Migrate = .init()
  ) throws -> MigrationSteps {
    let definition = SlotDefinition(
      slot: "states", publication: try Identifier("states"), source: ConnectionString("dbname=ledger"),
      derive: try Fixture.derive(), log: .init(directory: "/nowhere"), migrate: migrate)
    return MigrationSteps(definition, facts: facts ?? StepFacts(version: ServerVersion(number: 150_018)))
  }

  private static let partitioned: StepFacts = {
    func name(_ text: String) -> QualifiedName? { try? QualifiedName(sql: text) }
    guard let table = name("public.transactions"), let old = name("public.old"), let new = name("public.new"),
      let oldest = name("public.oldest")
    else { return StepFacts(version: ServerVersion(number: 150_018)) }
    return StepFacts(
      version: ServerVersion(number: 150_018), isPartitioned: true,
      partitions: [
        .init(name: new, parent: table), .init(name: old, parent: table, isLeaf: false),
        .init(name: oldest, parent: old),
      ])
  }()

  @Test(
    "what is undone takes its locks first, the table before its partitions, though by now there is nothing to undo"
  )
  func locksOfAWayBack() throws {
    var facts = Self.partitioned
    let tables = ["public.transactions", "public.new", "public.old", "public.oldest"]
    for table in tables {
      facts.identities[try QualifiedName(sql: table).quoted] = "FULL"
    }
    let steps = try Self.steps(facts)
    let record = StepRecord(
      id: "cutover.identity", state: .done, title: "have the old row", wayBack: ["ALTER TABLE one"],
      attempts: 1,
      blockers: "[]")
    let undone = RollbackSteps(forward: steps.cutoverEver, records: [record]).steps
    #expect(undone.map(\.statements) == [["ALTER TABLE one"]])
    #expect(
      try undone.first?.locks.map { "\($0.mode) \($0.table)" }
        == tables.map { "accessExclusive \(try QualifiedName(sql: $0).quoted)" })
  }

  @Test("all of them, in order")
  func order() throws {
    #expect(
      try Self.steps().all.map { "\($0.phase.rawValue): \($0.id): \($0.title)" } == [
        "expanded: expand.schema: make schema crossfade and its tables",
        "expanded: expand.map: make map table public.transaction_state",
        "expanded: expand.states: add 2 states to public.transaction_state",
        "expanded: expand.column: add nullable column state_id to public.transactions",
        "capturing: capture.publication: publish public.transactions as states",
        "capturing: capture.slot: make replication slot states and follow it",
        "backfilled: backfill.rows: derive state_id of the rows that were there before",
        "backfilled: backfill.index: build an index on public.transactions(state_id), concurrently",
        "backfilled: backfill.foreign-key: add foreign key public.transactions(state_id) to public.transaction_state, for new rows",
        "backfilled: backfill.validate: validate the foreign key of public.transactions, for the rows that were there",
        "verified: verify.whole: compare state_id with what the map makes of status, in every row",
        "cut over: cutover.publication: publish all columns of public.transactions: the change log holds whole rows then",
        "cut over: cutover.identity: have the old row in the stream, so that it tells which column a writer changed",
        "cut over: cutover.direction: keep status in step from state_id too, for those who still read it",
        "cut over: cutover.nullable: let status be left out by writers that give state_id",
        "cut over: cutover.reads: tell applications to read state_id",
        "contracted: contract.check: require state_id of new rows",
        "contracted: contract.check-validate: validate that every row has state_id",
        "contracted: contract.not-null: make state_id NOT NULL",
        "contracted: contract.check-drop: drop the check, which NOT NULL makes superfluous",
        "contracted: contract.guard: refuse updates that write status alone",
        "contracted: contract.direction: stop deriving: status is kept in step no longer",
        "contracted: contract.rename: rename status to status_retired, so that what still uses it is found",
        "contracted: contract.drop: drop status_retired, after 168h",
      ])
  }

  @Test("the definition says when the index is built, and whether there are a foreign key and a bridge")
  func settings() throws {
    let early = try Self.steps(nil, .init(index: .before, foreignKey: .none, bridge: .trigger))
    #expect(
      early.expand.map(\.id).suffix(3) == ["expand.column", "expand.bridge", "expand.index"])
    #expect(early.constrain == [])
    // The bridge derives what is written until the rename, in whose transaction it ends.
    #expect(
      early.contract.map(\.id).suffix(3) == ["contract.direction", "contract.rename", "contract.drop"])
    #expect(early.cutover.map(\.id) == ["cutover.direction", "cutover.reads"])
    let old = StepFacts(version: ServerVersion(number: 140_000))
    #expect(
      try Self.steps(old).cutover.map(\.id) == [
        "cutover.identity", "cutover.direction", "cutover.nullable", "cutover.reads",
      ])
    #expect(
      try Self.steps(nil, .init(index: .none)).constrain.map(\.id) == [
        "backfill.foreign-key", "backfill.validate",
      ])
  }

  @Test("the statements of the constraints and their locks")
  func constraints() throws {
    let steps = try Self.steps().constrain
    #expect(
      steps.flatMap(\.statements) == [
        #"CREATE INDEX CONCURRENTLY "transactions_state_id_idx" ON "public"."transactions" ("state_id")"#,
        #"ALTER TABLE "public"."transactions" ADD CONSTRAINT "transactions_state_id_fkey" FOREIGN KEY ("state_id") "#
          + #"REFERENCES "public"."transaction_state" ("id") NOT VALID"#,
        #"ALTER TABLE "public"."transactions" VALIDATE CONSTRAINT "transactions_state_id_fkey""#,
      ])
    #expect(
      steps.map { $0.locks.map { "\($0.mode.rawValue) on \($0.table)" } } == [
        [#"SHARE UPDATE EXCLUSIVE on "public"."transactions""#],
        [
          #"SHARE ROW EXCLUSIVE on "public"."transaction_state""#,
          #"SHARE ROW EXCLUSIVE on "public"."transactions""#,
        ],
        [
          #"SHARE UPDATE EXCLUSIVE on "public"."transactions""#,
          #"ROW SHARE on "public"."transaction_state""#,
        ],
      ])
    #expect(steps.map(\.lockTimeout) == [nil, 100...2_000, nil])
    #expect(steps.map(\.statementTimeout) == [0, 10_000, 0])
  }

  @Test("a partitioned table: leaves first, then their parents, the deepest first")
  func partitions() throws {
    #expect(
      try Self.steps(Self.partitioned).constrain.map(\.id) == [
        "backfill.index-parent", "backfill.index-parent:public.old", "backfill.index:public.new",
        "backfill.index:public.oldest", "backfill.attach:public.oldest", "backfill.attach:public.old",
        "backfill.attach:public.new", "backfill.foreign-key:public.new", "backfill.validate:public.new",
        "backfill.foreign-key:public.oldest", "backfill.validate:public.oldest", "backfill.foreign-key",
      ])
  }

  @Test("a lock timeout below the first attempt's is the only one")
  func shortTimeout() throws {
    #expect(try Self.steps(nil, .init(lockTimeout: Milliseconds(50))).expand.last?.lockTimeout == 50...50)
  }

  @Test("names that are too long are cut, and differ where the whole differs")
  func names() throws {
    let column = try Identifier("state_id")
    #expect(ObjectName.make(try Identifier("transactions"), column, "idx") == "transactions_state_id_idx")
    let long = String(repeating: "é", count: 30)
    let one = ObjectName.make(try Identifier(long + "1"), column, "idx")
    let two = ObjectName.make(try Identifier(long + "2"), column, "idx")
    #expect(one.utf8.count <= 63 && two.utf8.count <= 63 && one != two)
    #expect(one.hasSuffix("_idx"))
  }

  /// Every step that is statements, on a server: its probe says no before it and yes after it.
  private func walk(_ ledger: LedgerDatabase) throws {
    let connection = try ledger.connect()
    func stands(_ step: Step) -> Bool {
      guard let probe = step.probe else { return false }
      return (try? connection.query(probe, purpose: "probe").boolean(0, 0)) ?? false
    }
    var done: [Step] = []
    let all = MigrationSteps(ledger.definition, facts: try .ask(ledger.definition.derive, on: connection)).all
    for step in all where !step.statements.isEmpty {
      // A column that may be left out, and a publication that lists no columns, are as the cutover wants them.
      if ["cutover.nullable", "cutover.publication"].contains(step.id), stands(step) { continue }
      #expect(!stands(step), "\(step.id)")
      for statement in step.statements { try connection.query(statement, purpose: step.id) }
      #expect(stands(step), "\(step.id)")
      done.append(step)
    }
    #expect(
      try ledger.column(
        "SELECT count(*) FROM pg_attribute WHERE attrelid = 'public.transactions'::regclass AND attname = 'state_id' AND attnotnull"
      ) == ["1"])
    for step in done.reversed() {
      guard let back = step.reversed else { continue }
      for statement in back.statements { try connection.query(statement, purpose: "undo \(step.id)") }
      // The check was gone before the way back began: nothing of it stands either way.
      #expect(stands(back), "undo \(step.id)")
    }
  }

  @Test("on a plain table each does what its probe asks, and the way back undoes it")
  func plain() throws {
    var ledger = try LedgerDatabase("steps_plain")
    ledger.definition.migrate.bridge = .trigger
    try walk(ledger)
  }

  @Test("on a partitioned table too, and the key on the parent reads no partition again")
  func partitionedTable() throws { try walk(try LedgerDatabase("steps_parts", isPartitioned: true)) }
}
