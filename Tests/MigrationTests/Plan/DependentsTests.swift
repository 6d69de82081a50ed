import Derivation
import LocalCluster
import Postgres
import Testing

@testable import Migration

@Suite("What depends on the old column", .timeLimit(.minutes(5))) struct DependentsTests {
  private func ask(_ ledger: LedgerDatabase, table: String = "public.transactions") throws -> Dependents {
    let connection = try ledger.connect()
    let found = try #require(
      try TableFacts.ask(try QualifiedName(sql: table), connection), "\(table) is not there")
    return try Dependents.ask(
      found.oid, ledger.definition.derive.from, own: ledger.definition.publication, connection)
  }

  private func lines(_ dependents: [Dependent]) -> [String] {
    dependents.map { "\($0.kind.rawValue) | \($0.name)" }
  }

  @Test("a table that nobody else knows has none")
  func none() throws {
    let ledger = try LedgerDatabase("dependents_none")
    let found = try ask(ledger)
    #expect(found == Dependents(found: [], columnGrants: []))
    #expect(found.findings("status").map(\.level) == [.pass])
  }

  @Test("each kind is found, and the server agrees on which of them keep the column from being dropped")
  func kinds() throws {
    let ledger = try LedgerDatabase("dependents_kinds", table: "id bigint PRIMARY KEY, n integer")
    let major = try ledger.connect().serverVersion.major
    try ledger.prepare(
      """
      ALTER TABLE transactions ALTER COLUMN status SET DEFAULT 'AUTH', ADD CHECK (status <> ''), ADD UNIQUE (status),
        ADD COLUMN lowered text GENERATED ALWAYS AS (lower(status)) STORED;
      CREATE VIEW open_ones AS SELECT id, status FROM transactions;
      CREATE MATERIALIZED VIEW counted AS SELECT count(*) FROM transactions WHERE status = 'AUTH';
      CREATE RULE keep AS ON UPDATE TO transactions WHERE OLD.status = 'x' DO ALSO NOTHING;
      CREATE INDEX plain ON transactions (status);
      CREATE INDEX expression ON transactions ((upper(status)));
      CREATE INDEX partial ON transactions (id) WHERE status = 'AUTH';
      CREATE STATISTICS correlated ON status, n FROM transactions;
      CREATE POLICY mine ON transactions USING (status = 'AUTH');
      CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
      CREATE TRIGGER of_it BEFORE UPDATE OF status ON transactions FOR EACH ROW EXECUTE FUNCTION touch();
      CREATE TRIGGER when_it BEFORE UPDATE ON transactions FOR EACH ROW
        WHEN (OLD.status IS DISTINCT FROM NEW.status) EXECUTE FUNCTION touch();
      CREATE TABLE child (status text REFERENCES transactions (status));
      """)
    if major >= 14 {
      try ledger.prepare(
        """
        CREATE FUNCTION parsed() RETURNS bigint LANGUAGE sql
          BEGIN ATOMIC SELECT count(*) FROM public.transactions WHERE status = 'AUTH'; END
        """)
    }
    if major >= 15 {
      try ledger.prepare(
        """
        CREATE PUBLICATION listed FOR TABLE transactions (id, status);
        CREATE PUBLICATION filtered FOR TABLE transactions WHERE (status = 'AUTH' AND id > 1);
        CREATE PUBLICATION dependents_kinds FOR TABLE transactions (id, status);
        """)
    }
    let found = try ask(ledger)
    let blocking =
      [
        "constraint | constraint child_status_fkey on table public.child",
        "materialized view | materialized view public.counted",
        "policy | policy mine on table public.transactions",
        "rule | rule keep on table public.transactions",
        "trigger | trigger of_it on table public.transactions",
        "trigger | trigger when_it on table public.transactions", "view | view public.open_ones",
      ] + (major >= 14 ? ["function | function public.parsed()"] : [])
      + (major >= 15
        ? [
          "generated column | column lowered of table public.transactions",
          "publication | publication of table public.transactions in publication filtered",
          "publication | publication of table public.transactions in publication listed",
        ] : [])
    #expect(Set(lines(found.blocking)) == Set(blocking))
    let vanishing =
      [
        "constraint | constraint transactions_status_check on table public.transactions",
        "constraint | constraint transactions_status_key on table public.transactions",
        "default | default value for column status of table public.transactions",
        "index | index public.plain", "index | index public.expression", "index | index public.partial",
        "statistics | statistics object public.correlated",
      ] + (major < 15 ? ["generated column | column lowered of table public.transactions"] : [])
    #expect(Set(lines(found.vanishing)) == Set(vanishing))
    #expect(found.perhaps == [])
    // The server's own word: it names what keeps the column, among it our own publication, which `contract` sees to.
    if major >= 15 { try ledger.prepare("DROP PUBLICATION dependents_kinds") }
    do {
      try ledger.connect().query(
        "ALTER TABLE public.transactions DROP COLUMN status", purpose: "drop the column")
      Issue.record("the column could be dropped")
    } catch let error as PostgresError {
      guard case .server(let cause) = error else { throw error }
      let refused = (cause.detail ?? "").split(separator: "\n")
        .compactMap { $0.split(separator: " depends on ").first.map(String.init) }
      #expect(Set(refused) == Set(found.blocking.map(\.name)))
    }
  }

  @Test(
    "functions whose text holds the column's name are told as perhaps; others, and other tables', are not")
  func texts() throws {
    let ledger = try LedgerDatabase("dependents_texts")
    try ledger.prepare(
      """
      CREATE FUNCTION settle(bigint) RETURNS void LANGUAGE plpgsql AS
        'BEGIN UPDATE transactions SET STATUS = ''Settled'' WHERE id = $1; END';
      CREATE FUNCTION statuses() RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM transactions WHERE id > 1 -- substatus';
      CREATE FUNCTION elsewhere() RETURNS void LANGUAGE plpgsql AS 'BEGIN PERFORM status FROM jobs; END';
      CREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.status := upper(NEW.status); RETURN NEW; END';
      CREATE TRIGGER stamp BEFORE INSERT ON transactions FOR EACH ROW EXECUTE FUNCTION stamp();
      """)
    let found = try ask(ledger)
    #expect(
      lines(found.perhaps) == [
        "function | function public.settle(bigint)", "function | function public.stamp()",
      ])
    #expect(found.blocking == [])
    #expect(found.findings("status").first?.found.contains("no catalog knows") == true)
  }

  @Test("a name with special characters is looked for as it stands")
  func specialName() throws {
    let ledger = try LedgerDatabase("dependents_special")
    try ledger.prepare(
      """
      ALTER TABLE transactions ADD COLUMN "St(a.t" text;
      CREATE FUNCTION odd() RETURNS text LANGUAGE sql AS 'SELECT max("St(a.t") FROM transactions';
      CREATE FUNCTION even() RETURNS text LANGUAGE sql AS 'SELECT max(status) FROM transactions -- St(axt';
      """)
    let connection = try ledger.connect()
    let table = try #require(try TableFacts.ask(ledger.definition.derive.table, connection))
    let found = try Dependents.ask(
      table.oid, try Identifier("St(a.t"), own: ledger.definition.publication, connection)
    #expect(found.perhaps.map(\.name) == ["function public.odd()"])
  }

  @Test("grants on the column alone are told, those on the table are not")
  func grants() throws {
    let ledger = try LedgerDatabase("dependents_grants")
    try ledger.prepare(
      """
      CREATE ROLE dependents_reader; CREATE ROLE dependents_owner;
      GRANT SELECT (id, status), UPDATE (status) ON transactions TO dependents_reader;
      GRANT SELECT ON transactions TO dependents_owner;
      """)
    let found = try ask(ledger)
    #expect(
      found.columnGrants == [
        .init(role: "dependents_reader", privilege: "SELECT"),
        .init(role: "dependents_reader", privilege: "UPDATE"),
      ])
    #expect(
      Fixture.lines(found.findings("status")) == [
        "warn dependents: dependents_reader (SELECT), dependents_reader (UPDATE) may use status by a grant on this column "
          + "alone: it does not hold for the new one | the same grants on the new column, before the cutover"
      ])
  }

  @Test("of a partitioned table the parent's are told once, and the partition key stands in the way for good")
  func partitions() throws {
    let ledger = try LedgerDatabase("dependents_partitions")
    try ledger.prepare(
      """
      CREATE TABLE parted (id bigint, status text, PRIMARY KEY (id, status), CHECK (status <> '')) PARTITION BY LIST (status);
      CREATE TABLE parted_auth PARTITION OF parted FOR VALUES IN ('AUTH');
      CREATE TABLE parted_rest PARTITION OF parted DEFAULT;
      CREATE INDEX parted_status ON parted (status);
      CREATE INDEX own ON parted_auth (lower(status));
      """)
    let found = try ask(ledger, table: "public.parted")
    #expect(
      Set(lines(found.found)) == [
        "constraint | constraint parted_pkey on table public.parted",
        "constraint | constraint parted_status_check on table public.parted",
        "index | index public.parted_status", "index | index public.own",
        "partition key | the partitioning of public.parted",
      ])
    #expect(found.blocking.map(\.kind) == [.partitionKey])
  }
}
