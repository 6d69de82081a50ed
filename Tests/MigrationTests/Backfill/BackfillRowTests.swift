import Derivation
import LocalCluster
import Postgres
import Testing

@testable import Migration

/// Rows that are odd, held, refused or on the move.
@Suite("Backfill: rows", .timeLimit(.minutes(10)), .serialized) struct BackfillRowTests {
  private let interrupt: Interrupt

  init() throws { interrupt = try #require(Interrupt()) }

  private func ready(_ name: String, rows: Int, _ more: String = "") throws -> LedgerDatabase {
    let ledger = try LedgerDatabase(name)
    try ledger.run(
      "INSERT INTO public.transactions SELECT n, 'AUTH' FROM generate_series(1, \(rows)) AS n; \(more)")
    try ledger.ready(interrupt)
    return ledger
  }

  private func count(_ ledger: LedgerDatabase, _ condition: String) throws -> Int {
    try Int(ledger.column("SELECT count(*) FROM public.transactions WHERE \(condition)").first ?? "") ?? -1
  }

  @Test(
    "ten thousand rows at the head that the map does not know are quarantined, and everything behind them is written"
  )
  func unmappableHead() throws {
    let ledger = try ready(
      "backfill_head", rows: 20_000, "UPDATE public.transactions SET status = 'bogus' WHERE id <= 10000")
    let done = try ledger.backfill(interrupt)
    #expect(done.account.description == "20000 looked at, 10000 written, 10000 unmapped")
    #expect(done.account.balances)
    #expect(try count(ledger, "state_id IS NULL") == 10_000)
    #expect(try ledger.column("SELECT count(*) FROM crossfade.quarantine") == ["10000"])
  }

  @Test("statuses are their bytes: NULL, empty, spaces, case, ten kilobytes, NFC and NFD")
  func oddStatuses() throws {
    var ledger = try LedgerDatabase("backfill_odd")
    let long = String(repeating: "x", count: 10_240)
    let statuses: [String?] = [
      "AUTH", nil, "", " AUTH", "AUTH ", "auth", long, "caf\u{e9}", "cafe\u{301}", "=",
    ]
    ledger.definition.derive.map.states = [
      .init(id: "1", code: "a", status: "AUTH"), .init(id: "2", code: "none", status: nil),
      .init(id: "3", code: "empty", status: ""), .init(id: "4", code: "long", status: .init(long)),
      .init(id: "5", code: "nfd", status: "cafe\u{301}"),
    ]
    let session = try ledger.connect()
    for (id, status) in statuses.enumerated() {
      try session.query(
        "INSERT INTO public.transactions VALUES ($1, $2)", [.integer(id), .optional(status)],
        purpose: "insert")
    }
    try ledger.ready(interrupt)
    let done = try ledger.backfill(interrupt)
    #expect(
      try ledger.column("SELECT coalesce(state_id::text, '-') FROM public.transactions ORDER BY id")
        == ["1", "2", "3", "-", "-", "-", "4", "-", "5", "-"])
    #expect(done.account.written == 5 && done.account.unmapped == 5 && done.account.balances)
  }

  @Test("what is right already is counted so, what is stale is mended, what is unknown loses its value")
  func states() throws {
    let ledger = try ready(
      "backfill_states", rows: 10, "UPDATE public.transactions SET status = 'bogus' WHERE id = 5")
    try ledger.run(
      """
      UPDATE public.transactions SET state_id = 1 WHERE id IN (1, 2, 3, 5);
      UPDATE public.transactions SET state_id = 2 WHERE id = 4
      """)
    let done = try ledger.backfill(interrupt)
    #expect(done.account.description == "10 looked at, 6 written, 3 right already, 1 unmapped")
    #expect(try ledger.column("SELECT id FROM public.transactions WHERE state_id IS NULL") == ["5"])
    #expect(try count(ledger, "state_id = 1") == 9)
  }

  @Test("a row that is locked all through its batch keeps nobody waiting, and is written when it is let go")
  func lockedRow() throws {
    var ledger = try ready("backfill_locked", rows: 1000)
    ledger.definition.backfill.batch = 100
    let holder = try ledger.connect()
    try holder.script(
      "BEGIN; SELECT FROM public.transactions WHERE id IN (150, 950) FOR UPDATE", purpose: "hold")
    let running = try RunningBackfill(ledger)
    try running.await { $0.state.name == "waiting" && $0.progress.isAtEnd }
    let status = try #require(running.last)
    #expect(status.progress.account.description == "1000 looked at, 998 written, 2 to be looked at again")
    #expect(status.state.reason == "others hold 2 rows, which are looked at again and again")
    #expect(
      try ledger.column("SELECT key FROM crossfade.backfill_skipped ORDER BY 1") == [
        #"["150"]"#, #"["950"]"#,
      ])
    try holder.script(
      "UPDATE public.transactions SET status = 'CAPTURED' WHERE id = 150; COMMIT", purpose: "let go")
    let done = try running.finish()
    #expect(done.account.skipped == 0 && done.account.balances && done.account.looked == 1000)
    #expect(try count(ledger, "state_id IS NULL") == 0)
    #expect(
      try ledger.column("SELECT state_id FROM public.transactions WHERE id IN (150, 950) ORDER BY id") == [
        "2", "1",
      ])
  }

  @Test("a row that is held when the backfill is killed is not forgotten by the next one")
  func heldAcrossRuns() throws {
    let ledger = try ready("backfill_held_again", rows: 100)
    let holder = try ledger.connect()
    try holder.script("BEGIN; SELECT FROM public.transactions WHERE id = 50 FOR UPDATE", purpose: "hold")
    let first = try RunningBackfill(ledger)
    try first.await { $0.state.name == "waiting" }
    try first.stop()
    try holder.script("DELETE FROM public.transactions WHERE id = 50; COMMIT", purpose: "delete it")
    let done = try ledger.backfill(interrupt)
    #expect(done.account.description == "100 looked at, 99 written, 1 changed meanwhile")
    #expect(done.account.balances)
  }

  @Test("a table that is locked is waited for, without an error and without giving up")
  func lockedTable() throws {
    var ledger = try ready("backfill_table_lock", rows: 500)
    ledger.definition.backfill.batch = 10
    ledger.definition.backfill.pause = .init(20)
    let running = try RunningBackfill(ledger)
    try running.await { $0.progress.rows > 0 }
    let holder = try ledger.connect()
    try holder.script("BEGIN; LOCK TABLE public.transactions IN SHARE MODE", purpose: "hold")
    try running.await { $0.state == .waiting("canceling statement due to lock timeout") }
    try holder.script("COMMIT", purpose: "let go")
    #expect(try running.finish().account.description == "500 looked at, 500 written")
  }

  @Test(
    "rows that the server refuses are found by halves and quarantined with its error; all others are written")
  func refused() throws {
    let ledger = try ready(
      "backfill_refused", rows: 5000,
      "UPDATE public.transactions SET status = 'CAPTURED' WHERE id IN (1, 1234, 1235, 5000)")
    try ledger.run("ALTER TABLE public.transactions ADD CONSTRAINT not_two CHECK (state_id <> 2)")
    let done = try ledger.backfill(interrupt)
    #expect(done.account.description == "5000 looked at, 4996 written, 4 refused")
    #expect(done.account.balances)
    #expect(
      try ledger.column(
        "SELECT key::text || ' ' || status || ' ' || reason FROM crossfade.quarantine ORDER BY key->>0"
      ).map {
        $0.replacing(/new row.*constraint/, with: "...")
      } == [1, 1234, 1235, 5000].map { #"["\#($0)"] CAPTURED ... "not_two" (SQLSTATE 23514)"# })
    #expect(
      try ledger.column("SELECT id FROM public.transactions WHERE state_id IS NULL ORDER BY id") == [
        "1", "1234", "1235", "5000",
      ])
  }

  @Test(
    "deletes of the last row, key updates and inserts meanwhile: it ends at the bound, and the account balances"
  )
  func movingTable() throws {
    var ledger = try ready("backfill_moving", rows: 2000)
    ledger.definition.backfill.batch = 50
    let other = try ledger.connect()
    var pages = 0
    let done = try ledger.backfill(interrupt) { _ in
      pages += 1
      // Each page: the last row goes, a row behind and one ahead change places, more rows come than are done.
      _ = try? other.script(
        """
        DELETE FROM public.transactions WHERE id = (SELECT max(id) FROM public.transactions WHERE id <= 2000);
        UPDATE public.transactions SET id = -id WHERE id = \(pages * 50 - 7);
        UPDATE public.transactions SET id = id + 100000 WHERE id = \(pages * 50 + 20);
        INSERT INTO public.transactions SELECT 200000 + \(pages) * 1000 + n, 'AUTH' FROM generate_series(1, 200) AS n
        """, purpose: "move")
    }
    #expect(done.finished && done.account.balances && done.bound == ["2000"])
    #expect(done.account.looked <= 2000)
    // Every row that stands where it stood is written; what moved is the stream's.
    #expect(try count(ledger, "id BETWEEN 1 AND 2000 AND state_id IS NULL") == 0)
    #expect(try count(ledger, "id > 200000 AND state_id IS NOT NULL") == 0)
  }

  @Test(
    "a status that changes while its row's lock is waited for is left to the stream, and never written from the old one"
  )
  func raced() throws {
    var ledger = try ready("backfill_raced", rows: 10)
    ledger.definition.backfill.lockTimeout = .seconds(30)
    let other = try ledger.connect()
    try other.script(
      "BEGIN; UPDATE public.transactions SET status = 'CAPTURED' WHERE id = 5", purpose: "change it")
    let running = try RunningBackfill(ledger)
    let watcher = try ledger.connect()
    let isWaiting = try eventually(within: .seconds(20)) {
      try watcher.query(
        "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND application_name = $1)",
        [.text("crossfade backfill \(ledger.definition.slot)")], purpose: "ask"
      ).boolean(0, 0)
    }
    try #require(isWaiting)
    try other.script("COMMIT", purpose: "commit")
    let done = try running.finish()
    #expect(done.account.description == "10 looked at, 9 written, 1 changed meanwhile")
    #expect(try ledger.column("SELECT id FROM public.transactions WHERE state_id IS NULL") == ["5"])
  }

  @Test("a partitioned table with a composite key is done across its partitions, estimated and accounted for")
  func partitioned() throws {
    let ledger = try LedgerDatabase("backfill_partitions")
    var definition = ledger
    try ledger.run(
      """
      DROP TABLE public.transactions;
      CREATE TABLE public.transactions (id bigint, day date, status text, PRIMARY KEY (id, day)) PARTITION BY RANGE (day);
      CREATE TABLE public.t1 PARTITION OF public.transactions FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
      CREATE TABLE public.t2 PARTITION OF public.transactions FOR VALUES FROM ('2026-02-01') TO ('2026-03-01');
      CREATE TABLE public.t3 PARTITION OF public.transactions DEFAULT;
      INSERT INTO public.transactions
        SELECT n, date '2026-01-01' + n % 100, CASE WHEN n % 50 = 0 THEN 'bogus' ELSE 'AUTH' END
          FROM generate_series(1, 3000) AS n;
      ANALYZE public.transactions
      """)
    definition.definition.derive.key = [try .init("id"), try .init("day")]
    definition.definition.backfill.batch = 130
    try definition.ready(interrupt)
    let holder = try definition.connect()
    try holder.script(
      "BEGIN; SELECT FROM public.transactions WHERE id IN (7, 77) FOR UPDATE", purpose: "hold")
    let running = try RunningBackfill(definition)
    try running.await { $0.state.name == "waiting" && $0.progress.isAtEnd }
    try holder.script("COMMIT", purpose: "let go")
    let done = try running.finish()
    #expect(done.account.description == "3000 looked at, 2940 written, 60 unmapped")
    #expect(done.expected == 3000 && done.account.balances)
    #expect(try count(definition, "state_id IS NULL AND status = 'AUTH'") == 0)
  }
}
