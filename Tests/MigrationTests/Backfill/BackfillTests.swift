import Derivation
import LocalCluster
import Postgres
import Testing

@testable import Migration

@Suite("Backfill", .timeLimit(.minutes(10))) struct BackfillTests {
  private let interrupt: Interrupt

  init() throws { interrupt = try #require(Interrupt()) }

  private func states(_ ledger: LedgerDatabase, order: String = "id") throws -> String {
    try ledger.column("SELECT coalesce(state_id::text, '-') FROM public.transactions ORDER BY \(order)")
      .joined()
  }

  private func progress(_ ledger: LedgerDatabase) throws -> BackfillProgress? {
    try BackfillProgress.load(slot: ledger.definition.slot, on: ledger.connect())
  }

  @Test("the bound is the last key in the key's own order: numbers as numbers")
  func numbers() throws {
    var ledger = try LedgerDatabase("backfill_numbers")
    try ledger.run(
      "INSERT INTO public.transactions SELECT n, CASE n % 2 WHEN 0 THEN 'AUTH' ELSE 'CAPTURED' END "
        + "FROM generate_series(1, 12) AS n")
    try ledger.ready(interrupt)
    ledger.definition.backfill.batch = 5
    var pages: [[String]?] = []
    let done = try ledger.backfill(interrupt) { pages.append($0.lastKey) }
    #expect(done.bound == ["12"])
    #expect(pages == [["5"], ["10"], ["12"]])
    #expect(done.rows == 12 && done.written == 12 && done.finished)
    #expect(try states(ledger) == "212121212121")
  }

  @Test("a composite key of texts is paged in the server's order, with any characters in it")
  func texts() throws {
    var ledger = try LedgerDatabase(
      "backfill_texts", table: #"region text, "Ref" text, PRIMARY KEY (region, "Ref")"#,
      key: ["region", "Ref"])
    let keys = [
      ("a", "10"), ("a", "9"), ("a", ""), ("", "z"), ("B", "x"), ("b", #"q"uote"#), ("b", "com,ma"),
      ("it's", #"back\slash"#), ("ä", "{}"), ("z z", "null"), ("NULL", "new\nline"),
    ]
    let session = try ledger.connect()
    for key in keys {
      try session.query(
        "INSERT INTO public.transactions VALUES ($1, $2, 'AUTH')", [.text(key.0), .text(key.1)],
        purpose: "insert a row")
    }
    try ledger.ready(interrupt)
    ledger.definition.backfill.batch = 2
    var pages = 0
    let done = try ledger.backfill(interrupt) { _ in pages += 1 }
    #expect(pages == 6 && done.rows == 11 && done.written == 11)
    #expect(try states(ledger, order: "1") == String(repeating: "1", count: 11))
    let last = try session.query(
      #"SELECT region, "Ref" FROM public.transactions ORDER BY region DESC, "Ref" DESC LIMIT 1"#,
      purpose: "ask")
    #expect(done.bound == [last[0, 0] ?? "", last[0, 1] ?? ""])
  }

  @Test("an empty table is done at once, and rows that come later are the stream's")
  func empty() throws {
    let ledger = try LedgerDatabase("backfill_empty")
    try ledger.ready(interrupt)
    let done = try ledger.backfill(interrupt)
    #expect(done.finished && done.rows == 0 && done.bound == nil)
    try ledger.run("INSERT INTO public.transactions VALUES (1, 'AUTH')")
    #expect(try ledger.backfill(interrupt).finished)
    #expect(try states(ledger) == "-")
  }

  @Test("rows inserted above the bound meanwhile are left alone")
  func aboveBound() throws {
    var ledger = try LedgerDatabase("backfill_above")
    try ledger.run("INSERT INTO public.transactions SELECT n, 'AUTH' FROM generate_series(1, 6) AS n")
    try ledger.ready(interrupt)
    ledger.definition.backfill.batch = 2
    var pages = 0
    let done = try ledger.backfill(interrupt) { _ in
      pages += 1
      _ = try? ledger.run("INSERT INTO public.transactions VALUES (\(6 + pages), 'AUTH')")
    }
    #expect(pages == 3 && done.rows == 6)
    #expect(try states(ledger) == "111111---")
  }

  @Test("statuses the map does not know are quarantined with their rows, counted, and written nowhere")
  func unknown() throws {
    let ledger = try LedgerDatabase("backfill_unknown")
    try ledger.run(
      "INSERT INTO public.transactions VALUES (1, 'AUTH'), (2, 'auth'), (3, NULL), (4, 'XXX'), (5, 'CAPTURED')"
    )
    try ledger.ready(interrupt)
    let done = try ledger.backfill(interrupt)
    #expect(done.rows == 5 && done.written == 2)
    #expect(try states(ledger) == "1---2")
    #expect(
      try ledger.column(
        "SELECT key::text || ' ' || coalesce(status, 'NULL') || ': ' || reason || ' ' || (position IS NULL) "
          + "FROM crossfade.quarantine ORDER BY key") == [
          #"["2"] auth: the map has no such status true"#, #"["3"] NULL: the map has no such status true"#,
          #"["4"] XXX: the map has no such status true"#,
        ])
  }

  @Test("a row that comes into a page between its two statements is the stream's, not the quarantine's")
  func betweenStatements() throws {
    let ledger = try LedgerDatabase("backfill_between")
    try ledger.ready(interrupt)
    try ledger.run("INSERT INTO public.transactions VALUES (1, 'AUTH'), (2, 'XXX')")
    let sql = BackfillSQL(derive: ledger.definition.derive, keyTypes: ["bigint"])
    try BackfillProgress.ensure(on: ledger.connect())
    try ledger.run(
      "INSERT INTO crossfade.backfill (slot, last_key, expected, page_unmapped) "
        + "VALUES ('\(ledger.definition.slot)', '{10}', 0, 1)")
    for span in [BackfillSQL.Span.first, .after] {
      let bounds: [Parameter] = span == .after ? ["0"] : []
      try ledger.connect().query(
        sql.quarantine(span), [.text(ledger.definition.slot)] + bounds, purpose: "quarantine a page")
      #expect(try ledger.column("SELECT key FROM crossfade.quarantine") == [#"["2"]"#])
    }
  }

  @Test("a session that is killed between pages is followed by another that goes on where it stood")
  func killed() throws {
    var ledger = try LedgerDatabase("backfill_killed")
    try ledger.run("INSERT INTO public.transactions SELECT n, 'AUTH' FROM generate_series(1, 100) AS n")
    try ledger.ready(interrupt)
    ledger.definition.backfill.batch = 10
    let killer = try ledger.connect()
    var rows: [Int64] = []
    var kills = 0
    let done = try ledger.backfill(interrupt) { progress in
      rows.append(progress.rows)
      guard rows.count == 3 || rows.count == 7 else { return }
      let found = try? killer.query(
        "SELECT pid FROM pg_stat_activity WHERE application_name = $1",
        [.text("crossfade backfill \(ledger.definition.slot)")], purpose: "find it")
      guard let pid = found?.integer(0, 0).flatMap(Int32.init(exactly:)) else { return }
      if (try? killer.endSession(pid)) == true { kills += 1 }
    }
    #expect(kills == 2)
    #expect(rows == Array(stride(from: 10, through: 100, by: 10)))
    #expect(done.rows == 100 && done.written == 100 && done.finished)
    #expect(try states(ledger) == String(repeating: "1", count: 100))
  }

  @Test("stopped, it is taken up by the next run; restarted, it begins anew")
  func stopped() throws {
    var ledger = try LedgerDatabase("backfill_stopped")
    try ledger.run("INSERT INTO public.transactions SELECT n, 'AUTH' FROM generate_series(1, 20) AS n")
    try ledger.ready(interrupt)
    ledger.definition.backfill.batch = 5
    let stopping = try #require(Interrupt())
    let error = #expect(throws: MigrationError.self) {
      _ = try ledger.backfill(stopping) { if $0.rows == 10 { stopping.stop() } }
    }
    #expect(error?.description == "stopped while trying to backfill")
    #expect(try progress(ledger)?.lastKey == ["10"])
    var first: Int64?
    // It tells where it stands before it goes on.
    _ = try ledger.backfill(interrupt) { if first == nil, $0.rows != 10 { first = $0.rows } }
    #expect(first == 15)
    try Backfill.restart(slot: ledger.definition.slot, on: ledger.connect())
    let again = try ledger.backfill(interrupt)
    #expect(again.rows == 20 && again.written == 0 && again.finished)
  }

  @Test("before capture has begun, and while another one runs, it refuses")
  func refusals() throws {
    let ledger = try LedgerDatabase("backfill_refusals")
    _ = try ledger.expand(interrupt)
    let early = #expect(throws: MigrationError.self) { _ = try ledger.backfill(interrupt) }
    #expect(
      early?.description
        == "slot s_backfill_refusals has no checkpoint: capture has not begun, "
        + "and what changes during a backfill would be lost")
    let other = try ledger.connect()
    try other.query(
      "SELECT pg_advisory_lock(hashtext('crossfade backfill'), hashtext($1))",
      [.text(ledger.definition.slot)],
      purpose: "hold the lock")
    let held = #expect(throws: MigrationError.self) { _ = try ledger.backfill(interrupt) }
    #expect(
      held?.description.hasPrefix(
        "the backfill of slot s_backfill_refusals is already running: server process \(other.backendPID) "
          + "(migration test, since 20") == true, "\(held?.description ?? "")")
  }
}
