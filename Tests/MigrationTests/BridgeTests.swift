import Derivation
import DualWrite
import LocalCluster
import Postgres
import Testing

@testable import Migration

@Suite("The bridge between old and new column", .timeLimit(.minutes(10))) struct BridgeTests {
  private let interrupt: Interrupt

  init() throws { interrupt = try #require(Interrupt()) }

  private func bridged(_ name: String, table: String = "id bigint PRIMARY KEY") throws -> LedgerDatabase {
    var ledger = try LedgerDatabase(name, table: table)
    ledger.definition.migrate.bridge = .trigger
    try ledger.expand(interrupt)
    return ledger
  }

  private func row(_ ledger: LedgerDatabase) throws -> String {
    try ledger.column(
      "SELECT coalesce(status, 'NULL') || ' ' || coalesce(state_id::text, 'NULL') FROM public.transactions"
    )
    .joined(separator: ", ")
  }

  @Test(
    "a writer reads its own write in either column, in its own transaction",
    arguments: [
      ("INSERT INTO public.transactions VALUES (1, 'AUTH') RETURNING state_id", "1"),
      ("INSERT INTO public.transactions (id, state_id) VALUES (1, 2) RETURNING status", "CAPTURED"),
      (
        "INSERT INTO public.transactions VALUES (1, 'AUTH'); UPDATE public.transactions SET status = 'CAPTURED' RETURNING state_id",
        "2"
      ),
      (
        "INSERT INTO public.transactions VALUES (1, 'AUTH'); UPDATE public.transactions SET state_id = 2 RETURNING status",
        "CAPTURED"
      ),
      (
        "INSERT INTO public.transactions VALUES (1, 'AUTH'); UPDATE public.transactions SET status = 'odd' RETURNING coalesce(state_id::text, 'NULL')",
        "NULL"
      ),
    ])
  func ownWrite(_ sql: String, _ expected: String) throws {
    let ledger = try bridged("bridge_own_\(UInt32.random(in: 0...UInt32.max))")
    #expect(try ledger.connect().script(sql, purpose: "write")[0, 0] == expected)
  }

  @Test(
    "what cannot be told is left as it was given",
    arguments: [
      ("INSERT INTO public.transactions VALUES (1, 'AUTH', 2)", "AUTH 2"),
      (
        "INSERT INTO public.transactions VALUES (1, 'AUTH'); UPDATE public.transactions SET status = 'odd', state_id = 7",
        "odd 7"
      ),
      (
        "INSERT INTO public.transactions VALUES (1, 'AUTH'); UPDATE public.transactions SET state_id = 99",
        "AUTH 99"
      ),
      (
        "INSERT INTO public.transactions VALUES (1, 'AUTH'); UPDATE public.transactions SET state_id = NULL",
        "AUTH NULL"
      ),
      ("INSERT INTO public.transactions VALUES (1, NULL)", "NULL NULL"),
    ])
  func left(_ sql: String, _ expected: String) throws {
    let ledger = try bridged("bridge_left_\(UInt32.random(in: 0...UInt32.max))")
    try ledger.run(sql)
    #expect(try row(ledger) == expected)
  }

  @Test(
    "a transaction tells the application's name once, and again after a savepoint that told it is rolled back",
    .enabled(
      if: ((try? PostgresInstallation.find())?.majorVersion ?? 0) >= 14, "13 sends no logical messages"))
  func toldOnce() throws {
    let ledger = try bridged("bridge_told")
    let session = try ledger.connect()
    try session.script(
      """
      INSERT INTO public.transactions SELECT n, 'AUTH' FROM generate_series(1, 200) AS n;
      CREATE PUBLICATION bridge_told_all FOR TABLE public.transactions;
      """, purpose: "prepare")
    try session.query(
      "SELECT pg_create_logical_replication_slot('bridge_told', 'pgoutput')", purpose: "prepare")
    defer { _ = try? session.query("SELECT pg_drop_replication_slot('bridge_told')", purpose: "drop") }
    func told(_ sql: String) throws -> (messages: Int64?, numbers: Int64) {
      let before = try session.query("SELECT pg_current_xact_id()::text::bigint", purpose: "ask").integer(
        0, 0)
      try session.script(sql, purpose: "write")
      let after = try session.query("SELECT pg_current_xact_id()::text::bigint", purpose: "ask").integer(0, 0)
      let messages = try session.query(
        """
        SELECT count(*) FROM pg_logical_slot_get_binary_changes(
          'bridge_told', NULL, NULL, 'proto_version', '1', 'publication_names', 'bridge_told_all', 'messages', 'true')
         WHERE get_byte(data, 0) = ascii('M') AND position('crossfade.writer'::bytea IN data) > 0
        """, purpose: "count messages")
      return (messages.integer(0, 0), (after ?? 0) - (before ?? 0))
    }
    let bulk = try told("UPDATE public.transactions SET status = 'CAPTURED'")
    #expect(bulk.messages == 1)
    // The transaction's own, its one subtransaction's, and that of the question after it.
    #expect(bulk.numbers == 3)
    let again = try told(
      """
      BEGIN; SAVEPOINT s; UPDATE public.transactions SET status = 'AUTH' WHERE id = 1; ROLLBACK TO s;
      UPDATE public.transactions SET status = 'AUTH' WHERE id IN (2, 3); UPDATE public.transactions SET status = 'AUTH' WHERE id = 4; COMMIT
      """)
    #expect(again.messages == 1)
    let next = try told("UPDATE public.transactions SET status = 'CAPTURED' WHERE id < 5")
    #expect(next.messages == 1)
  }

  @Test("a writer without any right on the map is served, and never fails, even when the map is gone")
  func neverFails() throws {
    let ledger = try bridged("bridge_rights")
    try ledger.run(
      "CREATE ROLE bridge_application LOGIN; GRANT SELECT, INSERT, UPDATE ON public.transactions TO bridge_application"
    )
    let application = try Connection(
      ledger.cluster.conninfo(database: ledger.name, user: "bridge_application"),
      options: .init(applicationName: "application"))
    // A function of its own in the way of the search path changes nothing.
    try application.script(
      "CREATE TEMPORARY TABLE transaction_state (id bigint, legacy_status text); INSERT INTO public.transactions VALUES (1, 'AUTH')",
      purpose: "write")
    #expect(try row(ledger) == "AUTH 1")
    #expect(throws: PostgresError.self) {
      try application.query("SELECT crossfade.bridge_s_bridge_rights()", purpose: "call it")
    }
    try ledger.run("ALTER TABLE public.transaction_state RENAME TO elsewhere")
    try application.query("UPDATE public.transactions SET status = 'CAPTURED'", purpose: "write")
    #expect(try row(ledger) == "CAPTURED 1")
  }

  @Test("it sees what the application's own triggers set")
  func ownTriggers() throws {
    let ledger = try LedgerDatabase("bridge_triggers")
    try ledger.run(
      """
      CREATE FUNCTION public.defaulted() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        NEW.status := coalesce(NEW.status, 'CAPTURED'); RETURN NEW; END $$;
      CREATE TRIGGER set_status BEFORE INSERT ON public.transactions FOR EACH ROW EXECUTE FUNCTION public.defaulted()
      """)
    var bridged = ledger
    bridged.definition.migrate.bridge = .trigger
    try bridged.expand(interrupt)
    try ledger.run("INSERT INTO public.transactions VALUES (1)")
    #expect(try row(ledger) == "CAPTURED 2")
  }

  @Test("our own writes do not fire it")
  func ownSessions() throws {
    let ledger = try bridged("bridge_sessions")
    try ledger.run("INSERT INTO public.transactions VALUES (1, 'AUTH')")
    let ours = try Connection(
      ledger.cluster.conninfo(database: ledger.name),
      options: .init(applicationName: "ours", settings: [OwnWrites.setting]))
    try ours.query("UPDATE public.transactions SET state_id = 2", purpose: "write")
    #expect(try row(ledger) == "AUTH 2")
  }

  @Test("on a partitioned table")
  func partitioned() throws {
    var ledger = try LedgerDatabase("bridge_partitioned", isPartitioned: true)
    ledger.definition.migrate.bridge = .trigger
    try ledger.expand(interrupt)
    try ledger.run("INSERT INTO public.transactions VALUES (1, 'AUTH'), (5000, 'CAPTURED')")
    #expect(try row(ledger) == "AUTH 1, CAPTURED 2")
    try ledger.rollback(interrupt)
    #expect(try ledger.standing() == [])
  }
}
