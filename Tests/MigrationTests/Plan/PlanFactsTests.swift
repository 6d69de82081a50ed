import Derivation
import LocalCluster
import Postgres
import Testing

@testable import Migration

@Suite("What plan asks beside check", .timeLimit(.minutes(5))) struct PlanFactsTests {
  @Test("deferred checks: constraint triggers and keys that wait for the commit, not foreign keys")
  func deferred() throws {
    let ledger = try LedgerDatabase("facts_deferred", table: "id bigint PRIMARY KEY, ref bigint")
    try ledger.prepare(
      """
      ALTER TABLE transactions ADD CONSTRAINT ref_key UNIQUE (ref) DEFERRABLE INITIALLY DEFERRED,
        ADD CONSTRAINT ref_other UNIQUE (ref, id) DEFERRABLE,
        ADD CONSTRAINT self FOREIGN KEY (ref) REFERENCES transactions DEFERRABLE INITIALLY DEFERRED;
      CREATE FUNCTION audit() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
      CREATE CONSTRAINT TRIGGER late AFTER UPDATE ON transactions DEFERRABLE INITIALLY DEFERRED
        FOR EACH ROW EXECUTE FUNCTION audit();
      CREATE CONSTRAINT TRIGGER inserts AFTER INSERT ON transactions DEFERRABLE FOR EACH ROW EXECUTE FUNCTION audit();
      """)
    let connection = try ledger.connect()
    let table = try #require(try TableFacts.ask(ledger.definition.derive.table, connection))
    let facts = try DeferredFacts.ask(table.oid, connection)
    #expect(facts.constraints.map(\.type) == ["t", "u", "u", "f"])
    let finding = try #require(facts.findings.first)
    #expect(finding.level == .warn)
    #expect(
      finding.found.hasPrefix(
        "constraint late on table public.transactions, constraint ref_key on table public.transactions, "
          + "constraint ref_other on table public.transactions (only where a transaction defers it): "))
    #expect(DeferredFacts(constraints: []).findings.map(\.level) == [.pass])
  }

  @Test("partitions are counted, and foreign ones fail")
  func partitions() throws {
    let ledger = try LedgerDatabase("facts_partitions")
    try ledger.prepare(
      """
      DROP TABLE transactions;
      CREATE TABLE transactions (id bigint PRIMARY KEY, status text) PARTITION BY RANGE (id);
      CREATE TABLE t1 PARTITION OF transactions FOR VALUES FROM (0) TO (100) PARTITION BY RANGE (id);
      CREATE TABLE t1a PARTITION OF t1 FOR VALUES FROM (0) TO (50);
      CREATE TABLE t2 PARTITION OF transactions DEFAULT;
      """)
    let connection = try ledger.connect()
    let table = try #require(try TableFacts.ask(ledger.definition.derive.table, connection))
    let facts = try PartitionFacts.ask(table.oid, connection)
    #expect(facts == PartitionFacts(key: "RANGE (id)", leaves: 2))
    #expect(facts.findings(ledger.definition.derive.table).map(\.level) == [.pass])
    // What dropped a column before it was attached has its columns where the others have not.
    try ledger.prepare(
      """
      DROP TABLE t2;
      CREATE TABLE t3 (gone int, id bigint PRIMARY KEY, status text);
      ALTER TABLE t3 DROP COLUMN gone;
      ALTER TABLE transactions ATTACH PARTITION t3 DEFAULT;
      """)
    let laid = try PartitionFacts.ask(table.oid, connection)
    let isMinded = connection.serverVersion.major < 15
    #expect(laid.others == (isMinded ? ["public.t3"] : []))
    let other = changed(facts) { $0.others = ["t3"] }.findings(ledger.definition.derive.table)
    #expect(other.map(\.level) == [.fail])
    #expect(other.first?.found.hasPrefix("t3 has its columns in other places") == true)
    let far = changed(facts) { $0.foreign = ["far"] }
    #expect(
      far.findings(ledger.definition.derive.table).first?.found.hasPrefix("far are foreign tables") == true)
    #expect(PartitionFacts().findings(ledger.definition.derive.table) == [])
  }

  @Test("sizes come with their evidence: of a table never analyzed, of one that was, and of partitions")
  func sizes() throws {
    let ledger = try LedgerDatabase("facts_sizes")
    try ledger.prepare("INSERT INTO transactions SELECT n, 'AUTH' FROM generate_series(1, 20000) n")
    let connection = try ledger.connect()
    let name = ledger.definition.derive.table
    let table = try #require(try TableFacts.ask(name, connection))
    func ask() throws -> SizeFacts {
      try SizeFacts.ask(table.oid, name, slot: ledger.definition.slot, readsProgress: false, connection)
    }
    let before = try ask()
    #expect(before.analyzed == nil)
    #expect(before.evidence.contains("never analyzed"))
    #expect(before.findings(name).first?.level == .warn)
    try ledger.prepare("ANALYZE transactions")
    // Up to 14 what was analyzed is told by a process of its own, a little later.
    #expect(try eventually(within: .seconds(10)) { try ask().analyzed != nil })
    let after = try ask()
    #expect((19_000...21_000).contains(after.rows))
    #expect(after.evidence.hasPrefix("the planner's estimate, analyzed 2"))
    #expect(after.heapBytes > 20_000 * 30)
    #expect((32...60).contains(after.rowBytes))
    #expect(after.indexes == 1)
    #expect(after.earlier == nil)
    // The cluster is on this machine, and its directory is told to a superuser.
    #expect((after.freeBytes ?? 0) > 0)
    #expect(after.findings(name).map(\.subject) == ["statistics", "server disk"])
  }

  @Test("a disk that is not seen, or has too little room, is told")
  func room() throws {
    let name = try QualifiedName(sql: "public.transactions")
    let sizes = SizeFacts(
      rows: 1_000_000, heapBytes: 100 << 20, indexBytes: 0, toastBytes: 0, databaseBytes: 1 << 30,
      analyzed: "2026-01-01", changedSince: 0, indexes: 1, writesFullPages: true)
    #expect(sizes.findings(name)[1].level == .warn)
    #expect(sizes.findings(name)[1].found.hasSuffix("how much is free there, SQL does not tell"))
    #expect(changed(sizes) { $0.freeBytes = 150 << 20 }.findings(name)[1].level == .warn)
    #expect(changed(sizes) { $0.freeBytes = 1 << 30 }.findings(name)[1].level == .pass)
  }

  @Test("the cost of a foreign key names rows, writers and the age of MultiXacts")
  func hot() throws {
    let ledger = try LedgerDatabase("facts_hot")
    let writer = try ledger.connect()
    try writer.query("BEGIN", purpose: "write")
    try writer.query("INSERT INTO public.transactions VALUES (1, 'AUTH')", purpose: "write")
    let facts = try HotReferenceFacts.ask(states: 2, try ledger.connect())
    #expect(facts.writers == 1)
    #expect(facts.multixactLimit == 400_000_000)
    let derive = try Fixture.derive()
    #expect(facts.finding(derive).found.contains("one of the 2 rows of public.transaction_state"))
    #expect(!facts.finding(derive).found.contains("used up"))
    #expect(
      changed(facts) { $0.multixactAge = 300_000_000 }.finding(derive).found.hasSuffix(
        "much is used up already"))
  }

  @Test("a pooler is told by its process ids, and fails where it hands sessions round or drops settings")
  func pooler() throws {
    let direct = PoolerFacts(toldPID: 7, answeredPID: 7, sharesProcess: false, keepsSettings: true)
    #expect(direct.finding.level == .pass)
    let session = changed(direct) { $0.answeredPID = 8 }
    #expect(session.finding.level == .warn)
    #expect(changed(session) { $0.keepsSettings = false }.finding.level == .fail)
    let shared = changed(session) { $0.sharesProcess = true }
    #expect(shared.finding.found.hasPrefix("a pooler gives our session's server process to others"))
    let ledger = try LedgerDatabase("facts_pooler")
    let connection = try Connection(
      ledger.cluster.conninfo(database: ledger.name),
      options: .init(applicationName: "test", settings: [("lock_timeout", "1000")]))
    let found = try PoolerFacts.ask(connection, setting: ("lock_timeout", "1s")) { () throws(PostgresError) in
      throw .unexpected(purpose: "connect", what: "no further session is needed")
    }
    #expect(found.finding.level == .pass)
  }
}
