import Glibc
import LocalCluster
import Operations
import Postgres

/// A cluster with a ledger, its application, and the real `crossfade` beside them.
final class MigrationScene {
  let cluster: Cluster
  let directory: String
  private(set) var workload: Workload
  /// What earlier writers did.
  private var earlier = (transactions: 0, failed: 0)
  private let watch: LockWatch
  private let binary: String
  private let slotFile: String
  private let environment: [String: String?]
  private var running: ChildProcess?
  private var began: (tally: WorkloadTally, at: UInt64) = (WorkloadTally(), 0)

  static let slot = "bench_migration"
  static let column = "public.transactions.state_id"
  static let oldColumn = "public.transactions.status"
  /// `migrate.lock_timeout` of the definition: what is asked of the longest lock wait.
  static let lockTimeout_ms = 2_000
  /// `migrate.quiet`: how long nobody may have written the old column before a contract.
  static let quiet_s = 5

  init() throws {
    var configuration = ClusterConfiguration()
    configuration.settings = [
      "shared_buffers": "512MB", "max_wal_size": "16GB", "checkpoint_timeout": "1h", "max_connections": "60",
    ]
    cluster = try Cluster.running(configuration)
    var template = Array("/tmp/crossfade-bench-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { throw BenchError("mkdtemp failed") }
    directory = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    binary = try CrossfadeRun.sibling()
    slotFile = "\(directory)/slot.yaml"
    environment = ["CROSSFADE_SOURCE": cluster.conninfo(), "NO_COLOR": "1"]
    try LedgerLoader(rows: MigrationBench.rows).createAndLoad(conninfo: cluster.conninfo())
    workload = Self.writers(.status, cluster)
    watch = try LockWatch(conninfo: cluster.conninfo())
    guard let file = fopen(slotFile, "w") else { throw BenchError("cannot write \(slotFile)") }
    fputs(definition, file)
    fclose(file)
    try connect().query("CHECKPOINT", purpose: "begin quietly")
  }

  private static func writers(_ column: WorkloadPlan.Column, _ cluster: Cluster) -> Workload {
    var plan = WorkloadPlan()
    plan.writers = MigrationBench.writers
    plan.transactionsPerSecond = MigrationBench.rate
    plan.column = column
    return Workload(conninfo: cluster.conninfo(), plan: plan)
  }

  /// The application's release: from now on it reads and writes this column alone.
  func release(_ column: WorkloadPlan.Column) throws {
    guard workload.plan.column != column else { return }
    note(workload.stop())
    if column == .state {
      // Part of such a release: with a default, an insert of that very status looks as if it had been given.
      try connect().script(
        "ALTER TABLE public.transactions ALTER COLUMN status DROP DEFAULT", purpose: "release the application"
      )
    }
    workload = Self.writers(column, cluster)
    workload.start()
    look(seconds: 2)
  }

  private func note(_ tally: WorkloadTally) {
    earlier.transactions += tally.committed
    earlier.failed += tally.errorCount + tally.interruptions
  }

  private var definition: String {
    let states = LegacyStatus.allCases.map {
      "      - {id: \($0.rawValue), code: \($0), status: '\($0.text)'}"
    }
    return """
      \(CrossfadeRun.derivation(slot: Self.slot))
          states:
      \(states.joined(separator: "\n"))
      log:
        directory: \(directory)/log
      migrate:
        lock_timeout: \(Self.lockTimeout_ms)ms
        quiet: \(Self.quiet_s)s

      """
  }

  func connect() throws -> Connection {
    try Connection(cluster.conninfo(), options: .init(applicationName: "crossfade-bench"))
  }

  /// Runs a command to its end; an end that is not expected ends the benchmark.
  func command(_ words: [String], exits: Set<Int32> = [0]) throws {
    let arguments = [binary, words[0], slotFile] + words.dropFirst()
    let run = try ChildProcess.run(arguments, environment: environment, within: .seconds(1_800))
    guard case .exited(let code) = run.status, exits.contains(code) else {
      throw BenchError("crossfade \(words.joined(separator: " ")) ended with \(run.status): \(run.trimmed)")
    }
  }

  /// Backfills for so many seconds, then stops it: it goes on where it was.
  func backfillFor(seconds: Double) throws {
    let process = try ChildProcess(
      [binary, "backfill", slotFile], environment: environment, output: .discard,
      errors: .file("\(directory)/backfill.out"))
    look(seconds: seconds)
    guard let status = process.stop(SIGTERM, grace: .seconds(30)), [.exited(0), .exited(75)].contains(status)
    else {
      throw BenchError("crossfade backfill did not stop in order; see \(directory)/backfill.out")
    }
  }

  /// Whether this crossfade has a command.
  func knows(_ command: String) throws -> Bool {
    // The help of a command that is not there is that of all.
    try ChildProcess.run([binary, command, "--help"], environment: environment).output
      .contains("crossfade \(command) ")
  }

  func startRun() throws {
    guard running == nil else { return }
    running = try ChildProcess(
      [binary, "run", slotFile], environment: environment, output: .file("\(directory)/run.out"),
      errors: .file("\(directory)/run.out"))
  }

  func stopRun() throws {
    guard let process = running else { return }
    running = nil
    guard process.stop(SIGTERM, grace: .seconds(60)) == .exited(0) else {
      throw BenchError("crossfade run did not stop in order; see \(directory)/run.out")
    }
  }

  /// Waits until everything committed by now is applied.
  func catchUp() throws {
    let connection = try connect()
    let now = try connection.query("SELECT pg_current_wal_insert_lsn()", purpose: "ask")[0, 0] ?? "0/0"
    let applied =
      "SELECT coalesce((SELECT end_lsn >= '\(now)' FROM crossfade.checkpoint WHERE slot = '\(Self.slot)'), false)"
    guard
      try eventually(within: .seconds(120), { try connection.query(applied, purpose: "ask").boolean(0, 0) })
    else { throw BenchError("crossfade run did not catch up within two minutes; see \(directory)/run.out") }
  }

  func finish() {
    running?.stop(SIGKILL)
    watch.end()
    _ = workload.stop()
    _ = try? ChildProcess.run(["rm", "-rf", directory])
  }

  // What the application sees.

  private func open() throws {
    _ = try watch.take()
    began = (workload.tally(), Deadline.now)
  }

  private func close() throws -> TrafficWindow {
    guard workload.isRunning else { throw BenchError("the traffic has ended: \(workload.tally().errors)") }
    return TrafficWindow(
      from: began.tally, to: workload.tally(), seconds: Double(Deadline.now - began.at) / 1e9,
      waits: try watch.take())
  }

  @discardableResult
  func look(seconds: Double) -> Double {
    usleep(UInt32(seconds * 1e6))
    return seconds
  }

  /// The traffic alone.
  func traffic() throws -> TrafficWindow {
    // What a phase left in caches and queues goes first.
    look(seconds: 1)
    try open()
    look(seconds: MigrationBench.alone)
    return try close()
  }

  /// A phase, from its first command to its end, and on for as long as a phase is looked at.
  func look(_ phase: MigrationPhase) throws -> TrafficWindow {
    try phase.prepare(self)
    try open()
    try phase.body(self)
    let took = Double(Deadline.now - began.at) / 1e9
    if took < phase.window { look(seconds: phase.window - took) }
    return try close()
  }

  /// What came of it all; ends the traffic.
  func verdict() throws -> String {
    note(workload.stop())
    let report = try Oracle(.ledger).judge(try connect())
    return
      "\(HumanFormat.count(earlier.transactions)) transactions by \(MigrationBench.writers) writers, \(earlier.failed) failed; "
      + "the ledger beside its mirror, written in the same transactions: \(report)"
  }
}
