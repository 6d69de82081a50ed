import LocalCluster
import PGOutput
import Postgres
import Testing

/// One scenario on the shared server, in a database of its own: its SQL runs once, and is read by every judge there
/// is, some while it runs, some afterwards.
final class ScenarioRun {
  /// What one judge saw.
  struct Verdict<Consumer: RecordConsumer> {
    var judge: Judge
    var mode: StreamMode
    var seen: Consumer
  }

  /// Who looks at the stream.
  enum Judge: String, CaseIterable {
    /// The product's capture, while the SQL runs; its log is read.
    case captured
    /// The server, afterwards.
    case peeked
  }

  let scenario: Scenario
  let major: Int
  private let cluster: Cluster
  private let database: String
  let admin: Connection
  private var sessions: [String: Connection] = [:]
  private var inProgress: Set<String> = []
  private var peeks: [(StreamMode, slot: String)] = []
  private var captures: [(StreamMode, slot: String, LiveCapture)] = []
  private var publications: [String] = []
  private let scratch: ScratchDirectory

  init(_ scenario: Scenario) throws {
    self.scenario = scenario
    cluster = try ScenarioServer.cluster
    major = cluster.installation.majorVersion
    database = "scenario_" + scenario.name.replacing("-", with: "_")
    scratch = try ScratchDirectory()
    try cluster.connect().query(
      "CREATE DATABASE \(SQLText.identifier(database)) TEMPLATE template0 "
        + "ENCODING '\(scenario.encoding)' LC_COLLATE 'C' LC_CTYPE 'C'",
      purpose: "create \(database)")
    admin = try cluster.connect(database: database)
  }

  /// Runs the SQL and asks every judge.
  func run<Consumer: RecordConsumer>(_ consumer: (Connection) -> Consumer) async throws
    -> [Verdict<Consumer>]
  {
    try admin.query("CREATE SEQUENCE scenario_flush", purpose: "make a sequence")
    for step in scenario.setup { try await execute(step) }
    try begin()
    for step in scenario.steps {
      try await execute(step)
      note(step)
      if !inProgress.isEmpty || scenario.awaited?.contains(major) == true { try await settle() }
    }
    return try await judge(consumer)
  }

  /// Makes the slots and starts what captures while the SQL runs.
  private func begin() throws {
    let modes = StreamMode.all(on: major)
    publications = try listedPublications()
    for mode in modes {
      let slot = "peek_\(mode)"
      _ = try createSlot(slot, mode)
      peeks.append((mode, slot))
    }
    for mode in modes {
      guard
        let options = LiveCapture.options(
          mode, publications: publications, options: scenario.options, major: major)
      else { continue }
      let slot = "live_\(mode)"
      let start = try createSlot(slot, mode)
      let capture = try LiveCapture(
        conninfo: cluster.conninfo(database: database), slot: slot, start: start, options: options,
        directory: "\(scratch.path)/\(mode)")
      captures.append((mode, slot, capture))
    }
  }

  private func listedPublications() throws -> [String] {
    if let publications = scenario.publications { return publications }
    let rows = try admin.query("SELECT pubname FROM pg_publication ORDER BY 1", purpose: "list publications")
    return (0..<rows.rowCount).compactMap { rows[$0, 0] }
  }

  private func createSlot(_ name: String, _ mode: StreamMode) throws -> LSN {
    // The fourth argument came with 14.
    let twoPhase = mode.isTwoPhase ? ", false, true" : ""
    let rows = try admin.query(
      "SELECT lsn FROM pg_create_logical_replication_slot('\(name)', 'pgoutput'\(twoPhase))",
      purpose: "create slot \(name)")
    return try #require(rows[0, 0].flatMap { LSN($0) })
  }

  private func session(_ name: String) throws -> Connection {
    if let session = sessions[name] { return session }
    let session = try cluster.connect(database: database)
    // What a failed scenario leaves open must not hold up the others.
    try session.script(
      "SET timezone = 'UTC'; SET lock_timeout = '20s'; SET statement_timeout = '60s'",
      purpose: "set up session \(name)")
    sessions[name] = session
    return session
  }

  private func execute(_ step: Scenario.Step) async throws {
    let expected = step.error.flatMap { $0.majors.contains(major) ? $0.text : nil }
    do {
      try session(step.session).script(step.sql, purpose: "run \(scenario.name):\(step.line)")
    } catch PostgresError.server(let error) {
      guard let expected, error.message.contains(expected) else { throw PostgresError.server(error) }
      return
    }
    if let expected { throw NoError(line: step.line, expected: expected) }
  }

  struct NoError: Error {
    var line: Int
    var expected: String
  }

  /// Keeps account of the sessions that are in a transaction: only what they do can be streamed.
  private func note(_ step: Scenario.Step) {
    switch step.sql.prefix(while: { $0.isLetter }) {
    case "BEGIN": inProgress.insert(step.session)
    case "COMMIT", "PREPARE": inProgress.remove(step.session)
    case "ROLLBACK" where !step.sql.contains(" TO "): inProgress.remove(step.session)
    default: break
    }
  }

  /// A position that all that was done lies before, and that the server has passed.
  private func passed() throws -> LSN {
    let rows = try admin.query("SELECT pg_current_wal_insert_lsn()", purpose: "ask for the position")
    // A commit of its own, empty to the stream: what others have under way is written out with it. It has to write
    // something, else the server leaves the flush to the WAL writer (xact.c RecordTransactionCommit).
    try admin.query("SELECT setval('scenario_flush', 1)", purpose: "flush the WAL")
    return try #require(rows[0, 0].flatMap { LSN($0) })
  }

  /// Waits until every walsender has seen all that was done, so that what can be streamed is.
  private func settle() async throws {
    guard !captures.isEmpty else { return }
    let target = try passed()
    let running = captures.filter { !$0.2.hasEnded }.map { "'\($0.slot)'" }.joined(separator: ",")
    guard !running.isEmpty else { return }
    let isSettled = try eventually(within: .seconds(20)) {
      let rows = try admin.query(
        "SELECT count(*) FROM pg_stat_replication WHERE sent_lsn < '\(target)' AND pid IN "
          + "(SELECT active_pid FROM pg_replication_slots WHERE slot_name IN (\(running)))",
        purpose: "ask how far the walsenders are")
      return rows[0, 0] == "0"
    }
    #expect(isSettled, "\(scenario.name): a walsender does not move")
  }

  private func judge<Consumer: RecordConsumer>(_ consumer: (Connection) -> Consumer) async throws
    -> [Verdict<Consumer>]
  {
    let target = try passed()
    var verdicts: [Verdict<Consumer>] = []
    for (mode, _, capture) in captures {
      let isThere = eventually(within: .seconds(30)) { capture.hasReached(target) }
      #expect(isThere, "\(scenario.name): capture \(mode) stands at \(capture.standing)")
      var seen = consumer(admin)
      try await capture.read(into: &seen)
      verdicts.append(Verdict(judge: .captured, mode: mode, seen: seen))
    }
    captures = []
    for (mode, slot) in peeks {
      let peek = SlotPeek(
        session: admin, slot: slot,
        options: mode.options(for: scenario, publications: publications, major: major),
        format: mode.format)
      var seen = consumer(admin)
      try peek.read(into: &seen)
      verdicts.append(Verdict(judge: .peeked, mode: mode, seen: seen))
    }
    return verdicts
  }

  /// Leaves no slot and no prepared transaction on the shared server. The database goes with the cluster: dropping it
  /// would take a checkpoint.
  func clean() throws {
    captures = []
    sessions = [:]
    _ = eventually(within: .seconds(10)) {
      (try? admin.query(
        "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE database = $1",
        [.text(database)], purpose: "drop the slots")) != nil
    }
    let prepared = try admin.query(
      "SELECT gid FROM pg_prepared_xacts WHERE database = $1", [.text(database)], purpose: "look")
    for row in 0..<prepared.rowCount {
      try admin.query("ROLLBACK PREPARED \(SQLText.literal(prepared[row, 0] ?? ""))", purpose: "roll back")
    }
  }
}
