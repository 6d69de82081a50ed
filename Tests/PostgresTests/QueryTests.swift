import Glibc
import LocalCluster
import Testing

@testable import Postgres

@Suite("Statements", .timeLimit(.minutes(10))) struct QueryTests {
  @Test("parameters arrive as they are: NULL, empty, quotes, backslashes, any character")
  func parameters() throws {
    let session = try Server.connect()
    let values: [String?] = [
      nil, "", "'", "''; DROP TABLE x; --", "\\", "\"", "$1", "ä€😀", "\n\t\u{1}", " a ",
    ]
    for value in values {
      let row = try session.query(
        "SELECT $1::text, $1::text IS NULL, octet_length($1::text)", [.optional(value)], purpose: "ask")
      #expect(row[0] == value)
      #expect(row.boolean(0, 1) == (value == nil))
      #expect(row.integer(0, 2) == value.map { Int64($0.utf8.count) })
    }
    #expect(try session.column("SELECT $1::bigint + 1", [.integer(Int64.max - 1)]) == ["9223372036854775807"])
    #expect(try session.column("SELECT $1::text", [.terminatedText(Array("a".utf8))]) == ["a"])
    #expect(try session.column("SELECT $1::text", [.terminatedText(Array("a".utf8) + [0])]) == ["a"])
    #expect(try session.column("SELECT $1::text || $2::text || $3::text", ["a", "", "c"]) == ["ac"])
  }

  @Test("what a name or literal is written as, the server reads back")
  func quoting() throws {
    let session = try Server.connect()
    for text in ["", "a", "it's", #"a\b"#, #"\'"#, "\"q\"", "ä\n"] {
      #expect(try session.column("SELECT \(SQLText.literal(text))") == [text])
      if text.isEmpty { continue }
      #expect(
        try session.query("SELECT 1 AS \(SQLText.identifier(text))", purpose: "ask").name(ofColumn: 0) == text
      )
    }
  }

  @Test("a result knows its rows, columns and the rows touched; cells outside of it are nothing")
  func results() throws {
    let session = try Server.connect()
    let rows = try session.query("SELECT n, NULL FROM generate_series(1, 3) AS n", purpose: "ask")
    #expect(rows.rowCount == 3 && rows.columnCount == 2 && rows.name(ofColumn: 0) == "n")
    #expect(
      rows.integer(2, 0) == 3 && rows[2, 1] == nil && rows[3, 0] == nil && rows[-1, 0] == nil
        && rows[0, 2] == nil)
    try session.script("CREATE TEMP TABLE t (n int)", purpose: "make a table")
    #expect(try session.query("INSERT INTO t VALUES (1), (2)", purpose: "insert").affectedRows == 2)
    #expect(try session.query("DELETE FROM t WHERE n > 5", purpose: "delete").affectedRows == 0)
  }

  @Test("an error of the server carries purpose, SQLSTATE, message, detail, hint and constraint")
  func errors() throws {
    let session = try Server.connect()
    try session.script("CREATE TEMP TABLE t (n int CONSTRAINT once PRIMARY KEY)", purpose: "make a table")
    let error = Server.error {
      try session.query("INSERT INTO t VALUES (1), (1)", purpose: "insert a row twice")
    }
    guard case .server(let report)? = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(
      report
        == ServerError(
          purpose: "insert a row twice", sqlState: SQLState(rawValue: "23505"),
          message: #"duplicate key value violates unique constraint "once""#,
          detail: "Key (n)=(1) already exists.", hint: nil, constraint: "once"))
    #expect(
      error?.description
        == #"cannot insert a row twice: duplicate key value violates unique constraint "once" "#
        + "(SQLSTATE 23505); Key (n)=(1) already exists.")
    #expect(error?.isRetriable == false && error?.isConnectionGone == false)
    let hinted = Server.error { try session.query("SELECT lenght('a')", purpose: "ask") }
    #expect(hinted?.sqlState == .undefinedFunction)
    #expect(hinted?.hint?.hasPrefix("No function matches the given name") == true)
    #expect(try session.column("SELECT 1") == ["1"])
  }

  @Test("in a script of several statements the first error is told, and all of it is undone")
  func script() throws {
    let session = try Server.connect()
    let error = Server.error {
      try session.script("CREATE TABLE public.halfway (n int); SELECT 1/0; SELECT nothing", purpose: "run")
    }
    #expect(error?.sqlState == SQLState(rawValue: "22012"))
    #expect(try session.column("SELECT to_regclass('public.halfway')") == ["NULL"])
    #expect(try session.script("SELECT 1; SELECT 2", purpose: "run")[0] == "2")
  }

  @Test("a statement that starts a COPY is refused, and the session does not hang afterwards")
  func copy() throws {
    for sql in ["COPY (SELECT 1) TO STDOUT", "COPY pg_catalog.pg_class FROM STDIN"] {
      let session = try Server.connect()
      let error = Server.error { try session.query(sql, purpose: "copy") }
      #expect(error?.description == "unexpected answer while trying to copy: the statement started a COPY")
      #expect(Server.error { try session.query("SELECT 1", purpose: "ask") } != nil)
    }
  }

  @Test("our own time limit cancels at the server, and says how long it was")
  func timeout() throws {
    let session = try Server.connect()
    let pid = session.backendPID
    let error = Server.error {
      try session.query("SELECT pg_sleep(60)", purpose: "sleep", timeoutMilliseconds: 50)
    }
    #expect(error?.description == "gave up after 50 ms trying to sleep")
    #expect(error?.isConnectionGone == true)
    let other = try Server.connect()
    #expect(
      try eventually(within: .seconds(20)) {
        try other.column("SELECT state FROM pg_stat_activity WHERE pid = $1::int", [.integer(pid)]) != [
          "active"
        ]
      })
  }

  @Test("a stop ends a running statement at once and cancels it at the server")
  func interrupted() async throws {
    let interrupt = try #require(Interrupt())
    let conninfo = try Server.cluster.conninfo()
    let worker = Worker<(said: String, at: UInt64)> {
      do throws(PostgresError) {
        let session = try Connection(
          conninfo, options: .init(applicationName: "sleeper"), interrupt: interrupt)
        try session.query("SELECT pg_sleep(600)", purpose: "sleep")
        return ("slept", Deadline.now)
      } catch {
        return (error.description, Deadline.now)
      }
    }
    let other = try Server.connect()
    func sleepers() throws -> [String] {
      try other.column(
        "SELECT pid FROM pg_stat_activity WHERE application_name = 'sleeper' AND state = 'active' "
          + "AND query LIKE '%pg_sleep%'")
    }
    #expect(try eventually(within: .seconds(20)) { try !sleepers().isEmpty })
    let start = Deadline.now
    interrupt.stop()
    let end = await worker.value
    #expect(end.said == "stopped while trying to sleep")
    #expect(end.at - start < 10_000_000_000)
    #expect(try eventually(within: .seconds(20)) { try sleepers().isEmpty })
  }

  @Test("a nudge does not end a statement")
  func nudged() throws {
    let interrupt = try #require(Interrupt())
    let session = try Server.connect(interrupt: interrupt)
    interrupt.nudge()
    #expect(try session.query("SELECT 1 FROM pg_sleep(0.05)", purpose: "sleep")[0] == "1")
  }

  @Test("a session that is terminated in the middle of a statement is gone, and worth another try")
  func terminated() async throws {
    let conninfo = try Server.cluster.conninfo()
    let worker = Worker<PostgresError?> {
      do throws(PostgresError) {
        let session = try Connection(conninfo, options: .init(applicationName: "doomed"))
        try session.query("SELECT pg_sleep(600)", purpose: "sleep")
        return nil
      } catch {
        return error
      }
    }
    let other = try Server.connect()
    #expect(
      try eventually(within: .seconds(20)) {
        try other.column(
          "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'doomed' "
            + "AND state = 'active'") == ["t"]
      })
    let error = await worker.value
    guard case .connectionLost(let purpose, let message)? = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(purpose == "sleep")
    #expect(message.contains("terminating connection due to administrator command"))
    #expect(error?.isRetriable == true && error?.isConnectionGone == true)
  }
}
