import LocalCluster
import Postgres
import Testing

@testable import DualWrite

@Suite("The plan of the dual-write", .timeLimit(.minutes(10))) struct ApplyPlanTests {
  /// The plan without costs, as `applyKeys` is run: prepared, generic.
  private func plan(on session: Connection, _ target: TargetDatabase) throws -> [String] {
    let sql = DerivationSQL(target.derive, keyTypes: ["bigint"]).applyKeys
    try session.script(
      "PREPARE apply(bigint[]) AS \(sql.replacing("$1::bigint[]", with: "$1"))", purpose: "prepare")
    defer { _ = try? session.script("DEALLOCATE apply", purpose: "forget the statement") }
    return try session.column("EXPLAIN (COSTS off) EXECUTE apply('{3,1,2}')")
  }

  /// The nodes above the scalar subqueries: those only read the map.
  private func nodes(_ plan: [String]) -> [String] {
    plan.filter { !$0.contains("SubPlan") && !$0.contains("InitPlan") && !$0.contains("transaction_state") }
      .filter { $0.contains("->") || !$0.hasPrefix(" ") }
      .map { $0.replacing("->", with: "").split(separator: " ").joined(separator: " ") }
  }

  private let expected = [
    "Update on transactions t", "Nested Loop", "Subquery Scan on k", "Sort", "Function Scan on unnest u",
    "Index Scan using transactions_pkey on transactions t",
  ]

  @Test("right after the table was made, without ANALYZE, keys are sorted and looked up one by one")
  func fresh() throws {
    let target = try TargetDatabase("plan_fresh")
    #expect(try nodes(plan(on: target.connect(), target)) == expected)
  }

  @Test("so they are on a million rows, before and after ANALYZE")
  func million() throws {
    let target = try TargetDatabase("plan_million", rows: 1_000_000)
    let session = try target.connect()
    #expect(try nodes(plan(on: session, target)) == expected)
    try session.script("ANALYZE public.transactions; ANALYZE public.transaction_state", purpose: "analyze")
    #expect(try nodes(plan(on: session, target)) == expected)
  }

  @Test("it is the session's settings that do it: with others another plan is taken")
  func withoutSettings() throws {
    let target = try TargetDatabase("plan_free", rows: 100)
    try target.connect().script("ANALYZE", purpose: "analyze")
    #expect(
      try nodes(
        plan(
          on: target.connect(settings: [("enable_indexscan", "off"), ("enable_bitmapscan", "off")]), target))
        != expected)
  }

  @Test("only rows that differ are written, and unknown statuses become NULL")
  func rows() throws {
    let target = try TargetDatabase("plan_rows", rows: 4)
    let session = try target.connect()
    try session.script(
      "UPDATE public.transactions SET status = 'XXX', state_id = 9 WHERE id = 3; "
        + "UPDATE public.transactions SET status = NULL, state_id = 9 WHERE id = 4", purpose: "prepare rows")
    let sql = DerivationSQL(target.derive, keyTypes: ["bigint"]).applyKeys
    let read = "SELECT id || ':' || coalesce(state_id::text, 'NULL') FROM public.transactions ORDER BY id"
    #expect(try session.query(sql, ["{4,3,2,1,77}"], purpose: "apply").affectedRows == 4)
    #expect(try session.column(read) == ["1:2", "2:1", "3:NULL", "4:NULL"])
    #expect(try session.query(sql, ["{1,2,3,4}"], purpose: "apply").affectedRows == 0)
    try session.script(
      "INSERT INTO public.transaction_state VALUES (3, 'none', NULL)", purpose: "map NULL to a state")
    #expect(try session.query(sql, ["{1,2,3,4}"], purpose: "apply").affectedRows == 1)
    #expect(try session.column(read) == ["1:2", "2:1", "3:NULL", "4:3"])
  }
}
