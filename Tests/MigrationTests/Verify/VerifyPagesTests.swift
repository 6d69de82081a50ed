import Derivation
import LocalCluster
import PGOutput
import Postgres
import Testing

@testable import Migration

@Suite("Verify, page by page", .timeLimit(.minutes(10))) struct VerifyPagesTests {
  private let interrupt: Interrupt

  init() throws { interrupt = try #require(Interrupt()) }

  /// Keys of several text columns, with a collation each, that sort otherwise than their bytes.
  @Test("keys of several columns, in the collations of their columns, are each looked at once")
  func textKeys() throws {
    // Not every server was built with ICU.
    let any = try LedgerDatabase("verify_collations")
    let collation = try #require(
      try any.column(
        "SELECT c FROM unnest('{und-x-icu,en_US.utf8,en_US,C.utf8,C}'::text[]) WITH ORDINALITY AS u(c, n) "
          + "WHERE c IN (SELECT collname FROM pg_collation WHERE collencoding IN (-1, 6)) ORDER BY n"
      ).first)
    let ledger = try LedgerDatabase(
      "verify_texts",
      table:
        #"region text COLLATE "\#(collation)", "Ref" varchar(20) COLLATE "C", PRIMARY KEY (region, "Ref")"#,
      key: ["region", "Ref"])
    _ = try ledger.expand(interrupt)
    let session = try ledger.connect()
    let texts = [
      "", "a", "A", "b", "B", "ä", "z", #"q"uote"#, #"back\slash"#, "com,ma", "{}", "new\nline", "€😀", "it's",
    ]
    for region in texts {
      for ref in texts {
        try session.query(
          "INSERT INTO public.transactions VALUES ($1, $2, 'AUTH', NULL)", [.text(region), .text(ref)],
          purpose: "insert a row")
      }
    }
    var steps: [Int64] = []
    let result = try ledger.verify(interrupt) { $0.pageRows = 10 }.run { steps.append($0.rows) }
    #expect(result.rows == 196 && result.counts == [.incomplete: 196])
    #expect(steps.count > 19)
  }

  @Test("a partitioned table is one table; a sample draws from all of its partitions")
  func partitioned() throws {
    let ledger = try LedgerDatabase("verify_parts", table: "id bigint PRIMARY KEY")
    try ledger.run(
      """
      DROP TABLE public.transactions;
      CREATE TABLE public.transactions (id bigint PRIMARY KEY, status text) PARTITION BY RANGE (id);
      CREATE TABLE public.low PARTITION OF public.transactions FOR VALUES FROM (0) TO (1000);
      CREATE TABLE public.high PARTITION OF public.transactions FOR VALUES FROM (1000) TO (9000);
      """)
    _ = try ledger.expand(interrupt)
    try ledger.run(
      """
      INSERT INTO public.transactions SELECT n, 'AUTH', 1 FROM generate_series(1, 4000) AS n;
      UPDATE public.transactions SET state_id = NULL WHERE id IN (7, 3999);
      """)
    let result = try ledger.verify(interrupt) { $0.pageRows = 300 }.run()
    #expect(result.rows == 4000 && result.counts == [.incomplete: 2])
    #expect(result.first.map(\.key) == [#"["7"]"#, #"["3999"]"#])
    let sample = try ledger.verify(interrupt) { $0.scope = .sample(rows: 20_000, seed: 3) }.run()
    #expect(sample.rows >= 20_000 && Set(sample.first.map(\.key)).count == 2)
  }

  @Test("what is appended after the start is the stream's: the bound is pinned")
  func appended() throws {
    let ledger = try LedgerDatabase("verify_appended")
    _ = try ledger.expand(interrupt)
    try ledger.run("INSERT INTO public.transactions SELECT n, 'AUTH', 1 FROM generate_series(1, 100) AS n")
    var next = 100
    let result = try ledger.verify(interrupt) { $0.pageRows = 10 }.run { _ in
      next += 1
      _ = try? ledger.run("INSERT INTO public.transactions VALUES (\(next), 'AUTH', NULL)")
    }
    #expect(result.rows == 100 && result.isClean && next > 105)
  }

  @Test("a session that is ended between pages is followed by another that goes on there, suspects and all")
  func killedSession() throws {
    let ledger = try LedgerDatabase("verify_killed")
    _ = try ledger.expand(interrupt)
    try ledger.run(
      "INSERT INTO public.transactions SELECT n, 'AUTH', CASE WHEN n % 50 = 0 THEN 2 ELSE 1 END "
        + "FROM generate_series(1, 1000) AS n")
    let killer = try ledger.connect()
    var rows: [Int64] = []
    var kills = 0
    var holds = true
    let result = try ledger.verify(
      interrupt, { $0.pageRows = 20 },
      applied: { enough in
        holds ? LSN(rawValue: 1) : LedgerDatabase.allApplied(enough)
      }
    ).run { progress in
      rows.append(progress.rows)
      if progress.rows >= 500 { holds = false }
      guard [5, 20, 35].contains(rows.count) else { return }
      let found = try? killer.query(
        "SELECT pid FROM pg_stat_activity WHERE application_name = $1",
        [.text("crossfade verify \(ledger.definition.slot)")], purpose: "find it")
      guard let pid = found?.integer(0, 0).flatMap(Int32.init(exactly:)) else { return }
      if (try? killer.endSession(pid)) == true { kills += 1 }
    }
    #expect(kills == 3)
    #expect(rows == rows.sorted() && rows.last == 1000)
    #expect(result.rows == 1000 && result.counts == [.incorrect: 20] && result.settled == 0)
  }

  @Test("stopped, it is taken up by the next run, unless that begins anew or the map has changed")
  func stopped() throws {
    let ledger = try LedgerDatabase("verify_taken_up")
    _ = try ledger.expand(interrupt)
    try ledger.run(
      "INSERT INTO public.transactions SELECT n, 'AUTH', CASE n WHEN 7 THEN 2 ELSE 1 END FROM generate_series(1, 100) AS n"
    )
    func stopped(at limit: Int64) throws {
      let stopping = try #require(Interrupt())
      #expect(throws: MigrationError.self) {
        _ = try ledger.verify(stopping) { $0.pageRows = 10 }.run { if $0.rows >= limit { stopping.stop() } }
      }
    }
    try stopped(at: 40)
    let second = try ledger.verify(interrupt) { $0.pageRows = 10 }.run()
    #expect(second.rows == 100 && second.resumed == 40 && second.counts == [.incorrect: 1])
    #expect(second.first.map(\.key) == [#"["7"]"#])
    // A pass that has come to its end is not taken up.
    #expect(try ledger.verify(interrupt).run().resumed == 0)
    try stopped(at: 40)
    #expect(
      try ledger.verify(interrupt) { $0.scope = .whole(restart: true) }.run().resumed == 0)
    try stopped(at: 40)
    try ledger.run("INSERT INTO public.transaction_state VALUES (3, 'new', 'NEW')")
    #expect(try ledger.verify(interrupt).run().resumed == 0)
  }

  @Test("a page that takes too long is tried again smaller")
  func slowPages() throws {
    var ledger = try LedgerDatabase("verify_slow")
    ledger.definition.write.statementTimeout = .init(100)
    _ = try ledger.expand(interrupt)
    // A status whose reading takes 2 ms a row: a view in the table's place would not page, a slow cast does.
    try ledger.run(
      """
      CREATE FUNCTION public.slow(bigint) RETURNS boolean LANGUAGE plpgsql STABLE AS
        'BEGIN PERFORM pg_sleep(0.002); RETURN true; END';
      INSERT INTO public.transactions SELECT n, 'AUTH', 1 FROM generate_series(1, 300) AS n;
      ALTER TABLE public.transactions ENABLE ROW LEVEL SECURITY;
      CREATE POLICY slow ON public.transactions USING (public.slow(id));
      DO $$ BEGIN CREATE ROLE verify_slow LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$;
      GRANT USAGE ON SCHEMA crossfade TO verify_slow;
      GRANT SELECT ON ALL TABLES IN SCHEMA public, crossfade TO verify_slow;
      """)
    let result = try ledger.verify(interrupt) {
      $0.on = ledger.cluster.conninfo(database: ledger.name, user: "verify_slow")
    }.run()
    #expect(result.rows == 300 && result.isClean)
  }

  @Test("a sample is uniform, repeats by its seed, finds what is wrong in proportion, and proves what it can")
  func sample() throws {
    let ledger = try LedgerDatabase("verify_sample")
    _ = try ledger.expand(interrupt)
    try ledger.run(
      """
      INSERT INTO public.transactions SELECT n, 'AUTH', 1 FROM generate_series(1, 5000) AS n;
      UPDATE public.transactions SET state_id = 2 WHERE id <= 500;
      DELETE FROM public.transactions WHERE id > 500 AND id % 2 = 0;
      """)
    // 2750 rows, 500 of them wrong, in blocks of very different fill.
    let first = try ledger.verify(interrupt) { $0.scope = .sample(rows: 1000, seed: 42) }.run()
    let again = try ledger.verify(interrupt) { $0.scope = .sample(rows: 1000, seed: 42) }.run()
    #expect(first.counts == again.counts && first.rows == again.rows)
    #expect(first.rows >= 1000 && first.rows < 1400)
    let share = Double(first.mismatches) / Double(first.rows)
    #expect(abs(share - 500.0 / 2750) < 0.05, "\(share)")
    #expect(first.sample == SampleProof(seed: 42, asked: 1000))
    #expect(SampleProof.bound(rows: 3000) == 0.001 && SampleProof.bound(rows: 0) == nil)
    try ledger.run("DELETE FROM public.transactions")
    let none = try ledger.verify(interrupt) { $0.scope = .sample(rows: 10, seed: 1) }.run()
    #expect(none.rows == 0 && none.notes.contains { $0.contains("few rows for its size") })
  }
}
