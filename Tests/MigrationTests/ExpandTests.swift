import Derivation
import LocalCluster
import Postgres
import Testing

@testable import Migration

@Suite("Expand", .timeLimit(.minutes(10))) struct ExpandTests {
  private let interrupt: Interrupt

  init() throws { interrupt = try #require(Interrupt()) }

  private func refused(_ ledger: LedgerDatabase) -> MigrationError? {
    do {
      _ = try ledger.expand(interrupt)
      return nil
    } catch {
      return error
    }
  }

  @Test("it says what it made; run again it makes nothing")
  func twice() throws {
    let ledger = try LedgerDatabase("expand_twice")
    try ledger.run("INSERT INTO public.transactions VALUES (1, 'AUTH')")
    #expect(
      try ledger.expand(interrupt) == [
        "make schema crossfade and its tables", "make map table public.transaction_state",
        "add 2 states to public.transaction_state", "add nullable column state_id to public.transactions",
      ])
    let file = try ledger.column("SELECT pg_relation_filenode('public.transactions')")
    #expect(try ledger.expand(interrupt) == [])
    #expect(
      try ledger.column(
        "SELECT id || ' ' || code || ' ' || legacy_status FROM public.transaction_state ORDER BY id")
        == ["1 authorized AUTH", "2 captured CAPTURED"])
    #expect(try ledger.column("SELECT state_id FROM public.transactions") == ["NULL"])
    #expect(try ledger.column("SELECT pg_relation_filenode('public.transactions')") == file)
  }

  @Test("states that are missing are added, NULL among them; those that are there stay")
  func added() throws {
    var ledger = try LedgerDatabase("expand_added")
    _ = try ledger.expand(interrupt)
    ledger.definition.derive.map.states.append(State(id: "3", code: "none", status: nil))
    #expect(try ledger.expand(interrupt) == ["add 1 state to public.transaction_state"])
    #expect(try ledger.expand(interrupt) == [])
    #expect(
      try ledger.column("SELECT code FROM public.transaction_state WHERE legacy_status IS NULL") == ["none"])
  }

  @Test("a state that stands there otherwise is refused and named, and nothing is overwritten")
  func differs() throws {
    let ledger = try LedgerDatabase("expand_differs")
    _ = try ledger.expand(interrupt)
    try ledger.run("UPDATE public.transaction_state SET legacy_status = 'Auth' WHERE id = 1")
    #expect(
      refused(ledger)?.description
        == "the state map in the database differs: state 1 is authorized for Auth, "
        + "the definition says authorized for AUTH")
    #expect(
      try ledger.column("SELECT legacy_status FROM public.transaction_state ORDER BY id") == [
        "Auth", "CAPTURED",
      ])
  }

  @Test("without the table, or without a map and states to make it from, it says what is missing")
  func missing() throws {
    var ledger = try LedgerDatabase("expand_missing")
    ledger.definition.derive.map.states = []
    #expect(
      refused(ledger)?.description
        == "map table public.transaction_state does not exist and the definition lists no states to make it from"
    )
    ledger.definition.derive.map.states = LedgerDatabase.states
    try ledger.run("DROP TABLE public.transactions")
    #expect(refused(ledger)?.description == "table public.transactions does not exist")
  }

  @Test("the new column takes the type of the map's key")
  func type() throws {
    let ledger = try LedgerDatabase("expand_type")
    try ledger.run(
      "CREATE TABLE public.transaction_state (id smallint PRIMARY KEY, code text NOT NULL, legacy_status text)"
    )
    _ = try ledger.expand(interrupt)
    #expect(
      try ledger.column(
        "SELECT format_type(atttypid, atttypmod) FROM pg_attribute "
          + "WHERE attrelid = 'public.transactions'::regclass AND attname = 'state_id'") == ["smallint"])
  }
}
