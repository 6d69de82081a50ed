import LocalCluster
import Postgres
import Testing

@testable import DualWrite

/// Which mark a session's transactions get, by the server's version and what the role may. As a superuser unless said.
@Suite("The mark of our writes", .timeLimit(.minutes(5))) struct WriteMarkTests {
  /// Whether the server sends logical messages, so that there is a mark for everybody.
  private func hasMessages(_ target: TargetDatabase) -> Bool {
    target.cluster.installation.majorVersion >= 14
  }

  private func origins(_ session: Connection) throws -> [String] {
    try session.column(
      "SELECT roname FROM pg_replication_origin WHERE roname LIKE 'crossfade\\_mark\\_%' ORDER BY 1")
  }

  @Test("the dual-write's is an origin; the others' a message, on 13 an origin of their own")
  func writers() throws {
    let target = try TargetDatabase("mark_writers")
    let sessions = try [WriteMark.Writer.dualWrite, .backfill, .quarantine, .replay].map { writer in
      let session = try target.connect()
      return (session, try WriteMark(writer, slot: "mark_writers", on: session))
    }
    let messages = hasMessages(target)
    #expect(
      sessions.map(\.1.kind)
        == (messages ? [.origin, .message, .message, .message] : [.origin, .origin, .origin, .origin]))
    let names = ["crossfade_mark_writers"]
    let more = [".backfill", ".quarantine", ".replay"].map { names[0] + $0 }
    let ours = try origins(sessions[0].0).filter { $0.hasPrefix("crossfade_mark_writers") }
    #expect(ours == (messages ? names : names + more))
    for (session, mark) in sessions {
      try session.startPipeline(
        [mark.statement(), mark.statement(end: "0/10")],
        purpose: "mark twice")
      #expect(try session.finishPipeline(purpose: "mark twice").count == 2)
    }
  }

  @Test("an origin that another session holds: 14 marks by a message, 13 waits for it")
  func taken() throws {
    let target = try TargetDatabase("mark_taken")
    let (first, second) = (try target.connect(), try target.connect())
    _ = try WriteMark(.dualWrite, slot: "mark_taken", on: first)
    if hasMessages(target) {
      #expect(try WriteMark(.dualWrite, slot: "mark_taken", on: second).kind == .message)
    } else {
      let error = #expect(throws: PostgresError.self) {
        try WriteMark(.dualWrite, slot: "mark_taken", on: second)
      }
      #expect(error?.sqlState == .objectInUse)
    }
  }

  @Test("no origin free: 14 marks by a message, 13 says so")
  func exhausted() throws {
    var configuration = ClusterConfiguration()
    configuration.isDurable = false
    configuration.settings["max_replication_slots"] = "1"
    let cluster = try Cluster.running(configuration)
    let (first, second) = (try cluster.connect(), try cluster.connect())
    #expect(try WriteMark(.dualWrite, slot: "mark_one", on: first).kind == .origin)
    if cluster.installation.majorVersion >= 14 {
      #expect(try WriteMark(.dualWrite, slot: "mark_two", on: second).kind == .message)
    } else {
      let error = #expect(throws: PostgresError.self) {
        try WriteMark(.dualWrite, slot: "mark_two", on: second)
      }
      #expect(error?.sqlState == .configurationLimitExceeded)
    }
  }

  @Test(
    "a plain role: 14 marks by a message, 13 refuses until a superuser has lent the right, and lends no more")
  func plainRole() throws {
    let target = try TargetDatabase("mark_plain")
    let superuser = try target.connect()
    try superuser.script(
      "CREATE ROLE \"mark\"\"plain\" LOGIN; GRANT USAGE ON SCHEMA crossfade TO \"mark\"\"plain\"",
      purpose: "make a role")
    let conninfo = target.cluster.conninfo(database: target.name, user: "mark\"plain")
    let session = try Connection(conninfo, options: .init(applicationName: "dual-write test"))
    guard !hasMessages(target) else {
      try WriteMark.require(on: session)
      #expect(try WriteMark(.dualWrite, slot: "mark_plain", on: session).kind == .message)
      return
    }
    let refused = #expect(throws: PostgresError.self) { try WriteMark.require(on: session) }
    #expect(refused?.sqlState == .insufficientPrivilege)
    let failed = #expect(throws: PostgresError.self) {
      try WriteMark(.backfill, slot: "mark_plain", on: session)
    }
    #expect(failed?.sqlState == .insufficientPrivilege)

    try superuser.script(
      MarkRight.permission(to: SQLText.identifier("mark\"plain")), purpose: "lend the right")
    try WriteMark.require(on: session)
    #expect(try WriteMark(.backfill, slot: "mark_plain", on: session).kind == .origin)
    #expect(try origins(superuser).contains("crossfade_mark_plain.backfill"))
    // Names that are not Crossfade's are passed over.
    try session.query("SELECT crossfade.mark_origin('elsewhere')", purpose: "ask for a stranger's origin")
    #expect(try superuser.column("SELECT roname FROM pg_replication_origin WHERE roname = 'elsewhere'") == [])
  }
}
