import LocalCluster
import Testing

@testable import Postgres

@Suite("Transactions and pipelines", .timeLimit(.minutes(10))) struct TransactionTests {
  private func table(_ name: String) throws -> Connection {
    let session = try Server.connect()
    try session.script(
      "DROP TABLE IF EXISTS public.\(name); CREATE TABLE public.\(name) (n int PRIMARY KEY)",
      purpose: "make a table")
    return session
  }

  private func rows(_ name: String) throws -> [String] {
    try Server.connect().column("SELECT n FROM public.\(name) ORDER BY n")
  }

  @Test("what returns is committed, what throws is rolled back with its own error")
  func transaction() throws {
    let session = try table("tx")
    let value = try session.transaction(purpose: "work") { () throws(PostgresError) -> Int in
      try session.query("INSERT INTO public.tx VALUES (1)", purpose: "insert")
      return 7
    }
    #expect(value == 7)
    let error = Server.error {
      try session.transaction(purpose: "work") { () throws(PostgresError) in
        try session.query("INSERT INTO public.tx VALUES (2)", purpose: "insert")
        try session.query("INSERT INTO public.tx VALUES (1)", purpose: "insert it again")
      }
    }
    #expect(error?.sqlState == SQLState(rawValue: "23505"))
    let own = Server.error {
      try session.transaction(purpose: "work") { () throws(PostgresError) in
        try session.query("INSERT INTO public.tx VALUES (3)", purpose: "insert")
        throw .unexpected(purpose: "work", what: "a reason of our own")
      }
    }
    #expect(own?.description == "unexpected answer while trying to work: a reason of our own")
    #expect(try rows("tx") == ["1"])
    #expect(try session.column("SELECT pg_current_xact_id_if_assigned()") == ["NULL"])
  }

  @Test("a pipeline gives a result for each statement and commits at its end")
  func pipeline() throws {
    let session = try table("pipe")
    try session.prepare("insert", "INSERT INTO public.pipe VALUES ($1)", purpose: "prepare")
    try session.prepare("count", "SELECT count(*) FROM public.pipe", purpose: "prepare")
    for round in 0..<3 {
      try session.startPipeline(
        [
          PipelineStatement("insert", [.integer(round * 2)]), PipelineStatement("count"),
          PipelineStatement("insert", [.integer(round * 2 + 1)]), PipelineStatement("count"),
        ], purpose: "insert two")
      let results = try session.finishPipeline(purpose: "insert two")
      #expect(results.count == 4)
      #expect(results[0].affectedRows == 1)
      #expect(
        results[1].integer(0, 0) == Int64(round * 2 + 1) && results[3].integer(0, 0) == Int64(round * 2 + 2))
    }
    #expect(try rows("pipe").count == 6)
    try session.startPipeline([], purpose: "do nothing")
    #expect(try session.finishPipeline(purpose: "do nothing").isEmpty)
    #expect(try session.column("SELECT 1") == ["1"])
  }

  @Test("a pipeline with one failing statement leaves nothing, tells the first error, and the session stands")
  func allOrNothing() throws {
    let session = try table("all_or_nothing")
    try session.prepare("insert", "INSERT INTO public.all_or_nothing VALUES ($1)", purpose: "prepare")
    try session.prepare("divide", "SELECT 1 / $1::int", purpose: "prepare")
    for failing in 0..<3 {
      var statements = (0..<2).map { PipelineStatement("insert", [.integer($0)]) }
      statements.insert(PipelineStatement("divide", ["0"]), at: failing)
      statements.append(PipelineStatement("insert", [.integer(0)]))
      try session.startPipeline(statements, purpose: "insert some")
      let error = Server.error { _ = try session.finishPipeline(purpose: "insert some") }
      #expect(error?.description == "cannot insert some: division by zero (SQLSTATE 22012)")
      #expect(try rows("all_or_nothing") == [])
      #expect(try session.column("SELECT 1") == ["1"])
    }
  }

  @Test("before the Sync everything is answered and nothing committed")
  func beforeSync() throws {
    let session = try table("before_sync")
    try session.prepare("insert", "INSERT INTO public.before_sync VALUES ($1)", purpose: "prepare")
    var seen: [String]?
    try session.startPipeline([PipelineStatement("insert", ["1"])], purpose: "insert") {
      seen = try? rows("before_sync")
    }
    _ = try session.finishPipeline(purpose: "insert")
    #expect(seen == [])
    #expect(try rows("before_sync") == ["1"])
  }

  @Test("a session terminated under a pipeline is lost, not hung")
  func terminatedPipeline() throws {
    let session = try table("terminated")
    try session.prepare("insert", "INSERT INTO public.terminated VALUES ($1)", purpose: "prepare")
    try session.prepare("sleep", "SELECT pg_sleep(600)", purpose: "prepare")
    try session.startPipeline(
      [PipelineStatement("insert", ["1"]), PipelineStatement("sleep")], purpose: "insert and sleep")
    let other = try Server.connect()
    #expect(try other.endSession(session.backendPID))
    let error = Server.error { _ = try session.finishPipeline(purpose: "insert and sleep") }
    #expect(error?.isRetriable == true && error?.isConnectionGone == true)
    #expect(try rows("terminated") == [])
  }
}
