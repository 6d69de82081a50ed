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
