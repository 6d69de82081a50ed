import Derivation
import LocalCluster
import PGOutput
import Postgres
import Testing

@testable import Migration

@Suite("Verify", .timeLimit(.minutes(10))) struct VerifyTests {
  private let interrupt: Interrupt

  init() throws { interrupt = try #require(Interrupt()) }

  private func verify(
    _ ledger: LedgerDatabase, _ change: (inout VerifyOptions) -> Void = { _ in },
    report: (VerifyProgress) -> Void = { _ in },
    applied: @escaping (LSN) throws(PostgresError) -> LSN = LedgerDatabase.allApplied
  ) throws -> Verification {
    try ledger.verify(interrupt, change, applied: applied).run(report: report)
  }

  private func ledger(_ name: String, rows: String) throws -> LedgerDatabase {
    let ledger = try LedgerDatabase(name)
    _ = try ledger.expand(interrupt)
    try ledger.run("INSERT INTO public.transactions (id, status, state_id) VALUES \(rows)")
    return ledger
  }

  @Test("before expand it is refused, with what is missing")
  func unexpanded() throws {
    let ledger = try LedgerDatabase("verify_unexpanded")
    func refused() throws -> String {
      let error = #expect(throws: MigrationError.self) { try verify(ledger) }
      guard case .notReady(let what, let hint) = error else { return String(describing: error) }
      #expect(hint == "`crossfade expand SLOT` makes what is missing; `crossfade check SLOT` lists it")
      return what
    }
    #expect(try refused() == "public.transactions has no column state_id")
    try ledger.run("ALTER TABLE public.transactions ADD COLUMN state_id bigint")
    #expect(try refused() == "table public.transaction_state does not exist")
    try ledger.run("CREATE TABLE public.transaction_state (id bigint, code text)")
    #expect(try refused() == "public.transaction_state has no column legacy_status")
  }

  @Test("each way to be wrong is found as what it is, and what is right is not")
  func classes() throws {
    let ledger = try ledger(
      "verify_classes",
      rows: "(1, 'AUTH', 1), (2, 'CAPTURED', 2), (3, 'AUTH', NULL), (4, 'AUTH', 2), (5, 'AUTH', 99), "
        + "(6, 'XXX', NULL), (7, NULL, NULL), (8, 'XXX', 1), (9, 'auth', 98), (10, 'AUTH', 1), (11, 'YYY', NULL)"
    )
    // 6 and 7 wait there; 1 is right, 12 is gone, 11 is nowhere.
    try ledger.run(
      """
      INSERT INTO crossfade.quarantine (slot, key, status, reason)
        SELECT '\(ledger.definition.slot)', jsonb_build_array(k), 'XXX', 'test' FROM unnest('{6,7,1,12}'::text[]) AS k;
      INSERT INTO crossfade.quarantine (slot, key, reason) VALUES ('another', '["1"]', 'test'),
        ('\(ledger.definition.slot)', '["1", "2"]', 'a key of another definition');
      """)
    let result = try verify(ledger)
    #expect(result.rows == 11 && result.settled == 0 && result.undecided == 0)
    #expect(
      result.counts == [
        .incomplete: 1, .incorrect: 2, .orphan: 2, .unmapped: 2, .unlisted: 1, .stale: 3,
      ])
    #expect(
      result.first.map { "\($0.kind) \($0.key) \($0.from ?? "-") \($0.to ?? "-")" }.sorted() == [
        #"incomplete ["3"] AUTH -"#, #"incorrect ["4"] AUTH 2"#, #"incorrect ["8"] XXX 1"#,
        #"orphan ["5"] AUTH 99"#, #"orphan ["9"] auth 98"#, #"stale ["1"] XXX -"#, #"stale ["12"] XXX -"#,
        #"unlisted ["11"] YYY -"#, #"unmapped ["6"] XXX -"#, #"unmapped ["7"] - -"#,
      ])
    #expect(result.first.allSatisfy { $0.seen?.isValid == true })
  }

  @Test("a NULL status is a status when the map knows it, and a row without value is wrong then too")
  func nullStatus() throws {
    let ledger = try ledger(
      "verify_null", rows: "(1, NULL, 3), (2, NULL, NULL), (3, NULL, 1), (4, 'AUTH', 1)")
    try ledger.run("INSERT INTO public.transaction_state VALUES (3, 'unknown', NULL)")
    let result = try verify(ledger)
    #expect(result.counts == [.incomplete: 1, .incorrect: 1])
  }

  @Test("a table without a fault has none, with the position it was judged at; an empty one too")
  func right() throws {
    let ledger = try ledger("verify_right", rows: "(1, 'AUTH', 1), (2, 'CAPTURED', 2)")
    let result = try verify(ledger)
    #expect(result.rows == 2 && result.isClean && result.notes == [])
    #expect(result.witness.flatMap { LSN($0) }?.isValid == true)
    try ledger.run("DELETE FROM public.transactions")
    let empty = try verify(ledger)
    #expect(empty.rows == 0 && empty.isClean)
  }

  @Test("suspects are judged only when the stream has passed; what came right, or went, by then is settled")
  func waits() throws {
    let ledger = try ledger("verify_waits", rows: "(1, 'AUTH', NULL), (2, 'AUTH', 2), (3, 'CAPTURED', NULL)")
    var polls = 0
    let result = try verify(
      ledger,
      applied: { enough throws(PostgresError) in
        polls += 1
        // The opening asks once, the page once.
        guard polls > 4 else { return LSN(rawValue: 1) }
        if polls == 5 {
          try ledger.fix(
            "UPDATE public.transactions SET state_id = 1 WHERE id = 1; DELETE FROM public.transactions WHERE id = 3"
          )
        }
        return LedgerDatabase.allApplied(enough)
      })
    #expect(polls > 5)
    #expect(result.settled == 2 && result.mismatches == 1)
    #expect(result.first.map(\.key) == [#"["2"]"#])
  }

  @Test("a row that is wrong again, but in another version, is on its way: it is looked at until it is not")
  func hotRow() throws {
    let ledger = try ledger("verify_hot", rows: "(1, 'AUTH', NULL)")
    var changes = 0
    let result = try verify(
      ledger,
      applied: { enough throws(PostgresError) in
        changes += 1
        // Each look finds a newer version, which the stream has not derived either; then the stream is done.
        try ledger.fix(
          changes < 12
            ? "UPDATE public.transactions SET status = CASE status WHEN 'AUTH' THEN 'CAPTURED' ELSE 'AUTH' END"
            : "UPDATE public.transactions SET state_id = CASE status WHEN 'AUTH' THEN 1 ELSE 2 END")
        return LedgerDatabase.allApplied(enough)
      })
    #expect(changes >= 12)
    #expect(result.isClean && result.settled == 1)
  }

  @Test("a stream that stands still leaves undecided what waits for it, and says so; it is not clean")
  func standsStill() throws {
    let ledger = try ledger("verify_still", rows: "(1, 'AUTH', NULL), (2, 'AUTH', 1), (3, 'AUTH', 2)")
    let result = try verify(ledger, { $0.wait = .milliseconds(200) }, applied: { _ in LSN(rawValue: 1) })
    #expect(result.rows == 3 && result.mismatches == 0 && result.undecided == 2 && !result.isClean)
    #expect(result.notes.contains { $0.hasPrefix("the stream did not pass the rows left undecided") })
    let none = try verify(ledger, { $0.wait = .milliseconds(200) }, applied: { _ in .invalid })
    #expect(none.notes.contains { $0.contains("has not begun") })
  }

  @Test("more suspects than are held are waited for while reading; memory and counts stay right")
  func window() throws {
    let ledger = try ledger("verify_window", rows: "(0, 'AUTH', 1)")
    try ledger.run("INSERT INTO public.transactions SELECT n, 'AUTH', NULL FROM generate_series(1, 500) AS n")
    var most = 0
    var passed = LSN(rawValue: 1)
    let result = try verify(
      ledger,
      {
        $0.suspects = 100
        $0.pageRows = 40
      }, report: { most = max(most, $0.suspects) },
      applied: { enough in
        // Only what was asked for before, so that suspects gather.
        defer { passed = max(passed, enough.rawValue == .max ? passed : enough) }
        return passed
      })
    #expect(most >= 40 && most <= 140)
    #expect(result.rows == 501 && result.counts == [.incomplete: 500])
    let still = try verify(
      ledger,
      {
        $0.suspects = 100
        $0.pageRows = 40
        $0.wait = .milliseconds(100)
      }, applied: { _ in LSN(rawValue: 1) })
    #expect(still.rows == 501 && still.undecided == 500 && still.mismatches == 0)
  }

  @Test("a stop ends the wait for the stream")
  func stopped() throws {
    let ledger = try ledger("verify_stopped", rows: "(1, 'AUTH', NULL)")
    let error = #expect(throws: MigrationError.self) {
      _ = try verify(
        ledger,
        applied: { [interrupt] enough in
          if enough.isValid { interrupt.stop() }
          return LSN(rawValue: 1)
        })
    }
    #expect(error?.description.hasPrefix("stopped while trying to ") == true)
  }

  @Test("an ambiguous map is refused; one that is not the definition's is told")
  func badMap() throws {
    let ledger = try ledger("verify_map", rows: "(1, 'AUTH', 1)")
    try ledger.run("UPDATE public.transaction_state SET code = 'x' WHERE id = 1")
    let result = try verify(ledger)
    #expect(result.map == ["id 1 is not in the map what the definition lists"] && !result.isClean)
    try ledger.run(
      """
      ALTER TABLE public.transaction_state DROP CONSTRAINT IF EXISTS transaction_state_legacy_status_key CASCADE;
      INSERT INTO public.transaction_state VALUES (9, 'again', 'AUTH');
      """)
    let error = #expect(throws: MigrationError.self) { _ = try verify(ledger) }
    #expect(error?.description.hasPrefix("the map public.transaction_state is ambiguous") == true)
  }

  @Test("who may only read gets an answer, without progress kept, and is told so")
  func readOnlyRole() throws {
    let ledger = try ledger("verify_reader", rows: "(1, 'AUTH', 1), (2, 'AUTH', 2)")
    try ledger.run(
      """
      DO $$ BEGIN CREATE ROLE verify_reader LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$;
      GRANT USAGE ON SCHEMA crossfade TO verify_reader;
      GRANT SELECT ON public.transactions, public.transaction_state, crossfade.checkpoint, crossfade.quarantine,
        crossfade.direction TO verify_reader;
      """)
    let result = try verify(ledger) {
      $0.on = ledger.cluster.conninfo(database: ledger.name, user: "verify_reader")
    }
    #expect(result.counts == [.incorrect: 1])
    #expect(
      result.notes == [
        "no progress is kept, a run that ends early begins anew: this role may not make tables in schema crossfade"
      ])
  }

  @Test("a grant of columns is enough for the table; what it leaves out is told")
  func columnGrants() throws {
    let ledger = try ledger("verify_columns", rows: "(1, 'AUTH', 1), (2, 'AUTH', 2), (3, 'AUTH', NULL)")
    try ledger.run(
      """
      DO $$ BEGIN CREATE ROLE verify_columns LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$;
      GRANT USAGE ON SCHEMA crossfade TO verify_columns;
      GRANT SELECT ON public.transaction_state, crossfade.checkpoint, crossfade.quarantine TO verify_columns;
      GRANT SELECT (id, status, state_id) ON public.transactions TO verify_columns;
      """)
    let conninfo = ledger.cluster.conninfo(database: ledger.name, user: "verify_columns")
    let result = try verify(ledger) { $0.on = conninfo }
    #expect(result.counts == [.incorrect: 1, .incomplete: 1])
    #expect(result.notes.contains { $0.contains("GRANT SELECT (xmin)") })
    #expect(result.notes.contains { $0.hasSuffix("this role may not read crossfade.direction") })
    let error = #expect(throws: MigrationError.self) {
      _ = try verify(ledger) {
        $0.on = conninfo
        $0.scope = .sample(rows: 5, seed: 1)
      }
    }
    #expect(error?.hint == #"GRANT SELECT (xmin, ctid, tableoid) ON "public"."transactions" to it"#)
    try ledger.run("GRANT SELECT (xmin, ctid, tableoid) ON public.transactions TO verify_columns")
    let sample = try verify(ledger) {
      $0.on = conninfo
      $0.scope = .sample(rows: 50, seed: 1)
    }
    #expect(sample.mismatches > 20)
  }

  @Test("two at once: the second is told who is at it; a sample may run beside it")
  func lock() throws {
    let ledger = try ledger("verify_lock", rows: "(1, 'AUTH', 1)")
    let other = try ledger.connect("the other")
    try other.query(
      "SELECT pg_advisory_lock(hashtext('crossfade verify'), hashtext($1))",
      [.text(ledger.definition.slot)], purpose: "hold the lock")
    let error = #expect(throws: MigrationError.self) { _ = try verify(ledger) }
    let expected =
      "the verification of slot s_verify_lock is already running in server process \(other.backendPID) (the other)"
    #expect(error?.description.hasPrefix(expected) == true, "\(error?.description ?? "")")
    #expect(try verify(ledger) { $0.scope = .sample(rows: 10, seed: 1) }.isClean)
  }

  @Test("it takes no lock that anybody waits for, and waits for no row's lock")
  func disturbsNobody() throws {
    let ledger = try ledger("verify_locks", rows: "(1, 'AUTH', 1)")
    try ledger.run("INSERT INTO public.transactions SELECT n, 'AUTH', 1 FROM generate_series(2, 2000) AS n")
    let conninfo = ledger.cluster.conninfo(database: ledger.name)
    let over = try #require(Interrupt())
    let writer = Worker { () -> Result<Int, PostgresError> in
      Result { () throws(PostgresError) in
        let session = try Connection(
          conninfo, options: .init(applicationName: "writer", settings: [("lock_timeout", "1")]))
        var writes = 0
        while !over.isStopped {
          let id = 1 + writes % 2000
          if id != 1000 {
            try session.query(
              "UPDATE public.transactions SET status = status WHERE id = $1", [.integer(id)], purpose: "write"
            )
          }
          writes += 1
        }
        return writes
      }
    }
    // The other way round as well: a row that is locked is read.
    let holder = try ledger.connect("holder")
    try holder.script(
      "BEGIN; SELECT * FROM public.transactions WHERE id = 1000 FOR UPDATE", purpose: "lock a row")
    for _ in 0..<5 {
      let result = try verify(ledger, { $0.pageRows = 20 })
      #expect(result.rows == 2000 && result.isClean)
    }
    over.stop()
    #expect(eventually(within: .seconds(20)) { writer.isFinished })
    #expect(try #require(writer.result).get() > 100)
  }
}
