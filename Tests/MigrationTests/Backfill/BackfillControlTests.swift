import Derivation
import Foundation
import LocalCluster
import Postgres
import Testing

@testable import Migration

/// What operators say, and signals that hold, while it runs.
@Suite("Backfill: control", .timeLimit(.minutes(10)), .serialized) struct BackfillControlTests {
  private let interrupt: Interrupt

  init() throws { interrupt = try #require(Interrupt()) }

  /// A ledger whose backfill takes some seconds.
  private func slow(_ name: String, rows: Int = 2000, directory: String = "/nowhere") throws -> LedgerDatabase
  {
    var ledger = try LedgerDatabase(name)
    try ledger.run("INSERT INTO public.transactions SELECT n, 'AUTH' FROM generate_series(1, \(rows)) AS n")
    try ledger.ready(interrupt)
    ledger.definition.backfill.batch = 10
    ledger.definition.backfill.pause = .init(20)
    ledger.definition.log.directory = directory
    return ledger
  }

  private func scratch() throws -> String {
    let path = NSTemporaryDirectory() + "cf-\(UUID().uuidString.prefix(8))"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    return path
  }

  @Test("paused by SQL it stops within a batch, stays so when started again, and goes on when resumed")
  func pausedBySQL() throws {
    let ledger = try slow("control_sql")
    let session = try ledger.connect()
    let running = try RunningBackfill(ledger)
    try running.await { $0.progress.rows > 0 }
    try session.query(
      "SELECT crossfade.backfill_pause($1)", [.text(ledger.definition.slot)], purpose: "pause")
    try running.await { $0.state.name == "paused" }
    #expect(
      running.last?.state.reason?.hasPrefix("by postgres, 20") == true, "\(running.last?.state.reason ?? "")")
    let seen = try #require(try BackfillProgress.load(slot: ledger.definition.slot, on: session))
    #expect(seen.note.state == "paused" && seen.runner != nil && seen.rows < 2000)
    try running.stop()
    let again = try RunningBackfill(ledger)
    try again.await { $0.state.name == "paused" }
    #expect(again.last?.progress.rows == seen.rows)
    try session.query("UPDATE crossfade.control SET paused = false", purpose: "resume by hand")
    let done = try again.finish()
    #expect(done.account.description == "2000 looked at, 2000 written")
    #expect(done.clocks.paused > 0 && done.runner != nil)
  }

  @Test(
    "through its socket it is paused, resumed, slowed down, told another batch, and says why and where it stands"
  )
  func socket() throws {
    let directory = try scratch()
    defer { try? FileManager.default.removeItem(atPath: directory) }
    let ledger = try slow("control_socket", rows: 4000, directory: directory)
    // What a killed process left behind is replaced.
    #expect(FileManager.default.createFile(atPath: ControlSocket.path(in: directory), contents: nil))
    let running = try RunningBackfill(ledger)
    try running.await { $0.progress.rows > 0 }
    func say(_ line: String) -> String? { ControlSocket.ask(line, directory: directory) }
    let mode = try FileManager.default.attributesOfItem(atPath: ControlSocket.path(in: directory))[
      .posixPermissions]
    #expect(mode as? Int == 0o600)
    #expect(say("pause")?.hasPrefix("ok: pause") == true)
    try running.await { $0.state.name == "paused" }
    let why = say("why") ?? ""
    #expect(why.hasPrefix("paused: by root, for ") || why.hasPrefix("paused: by "), "\(why)")
    #expect(why.contains("replica_lag not here (there is no standby), measured "), "\(why)")
    #expect(say("set batch=7 pace=0.5") == "ok: set batch=7 pace=0.5\n")
    #expect(say("resume") == "ok: resume\n")
    try running.await { $0.state.name == "working" && $0.batch == 7 && $0.duty == 0.5 }
    #expect(running.last?.state.reason == "pace 0.5 was asked for")
    let status = say("status") ?? ""
    #expect(status.contains("\npace    7 rows a batch, 50% of the time"), "\(status)")
    #expect(status.contains(" expected\ntime    "), "\(status)")
    #expect(say("faster") == "error: `faster` is not known; known: \(ControlCommand.usage)\n")
    #expect(say("set batch=5000 pace=1") != nil)
    #expect(try running.finish().written == 4000)
    #expect(!FileManager.default.fileExists(atPath: ControlSocket.path(in: directory)))
    #expect(
      try ledger.column("SELECT paused || ' ' || pace || ' ' || batch FROM crossfade.control") == [
        "false 1 5000"
      ])
    #expect(say("why") == nil)
  }

  @Test("who connects to the socket and says nothing keeps nobody else out, and rubbish is answered")
  func silentClient() throws {
    let directory = try scratch()
    defer { try? FileManager.default.removeItem(atPath: directory) }
    let ledger = try slow("control_silent", rows: 3000, directory: directory)
    let running = try RunningBackfill(ledger)
    try running.await { $0.progress.rows > 0 }
    let silent = try ChildProcess([
      "socat", "-u", "UNIX-CONNECT:\(ControlSocket.path(in: directory))", "STDOUT",
    ])
    defer { silent.stop(SIGKILL) }
    #expect(ControlSocket.ask("\u{0}\u{1}\u{2}", directory: directory)?.hasPrefix("error: ") == true)
    #expect(
      ControlSocket.ask(String(repeating: "x", count: 100_000), directory: directory)?.hasPrefix("error: ")
        != false)
    #expect(ControlSocket.ask("status", directory: directory)?.hasPrefix("working") == true)
    try running.stop()
  }

  @Test("a socket whose path is too long, or has no directory, is done without, and said")
  func noSocket() throws {
    let long = try scratch() + "/" + String(repeating: "d", count: 120)
    try FileManager.default.createDirectory(atPath: long, withIntermediateDirectories: true)
    let fault = #expect(throws: ControlSocket.Fault.self) { _ = try ControlSocket(directory: long) }
    #expect(
      fault?.description
        == "\(long)/backfill.sock has \(long.utf8.count + 14) bytes, and a unix socket's path at most 107")
    let none = #expect(throws: ControlSocket.Fault.self) { _ = try ControlSocket(directory: "/nowhere") }
    #expect(none?.description == "/nowhere: No such file or directory")
  }

  @Test("paused while a batch hangs it does not hang in pausing: the batch is cancelled and done again later")
  func pausedWhileHanging() throws {
    var ledger = try slow("control_hang", rows: 30)
    try ledger.run(
      """
      CREATE TABLE public.slow (yes boolean); INSERT INTO public.slow VALUES (true);
      CREATE FUNCTION public.hang() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF NEW.id = 15 AND (SELECT yes FROM public.slow) THEN PERFORM pg_sleep(25); END IF; RETURN NEW; END $$;
      CREATE TRIGGER hang BEFORE UPDATE ON public.transactions FOR EACH ROW EXECUTE FUNCTION public.hang();
      """)
    ledger.definition.backfill.triggers = .fire
    let running = try RunningBackfill(ledger)
    let isHanging = eventually(within: .seconds(20)) {
      (running.backfill.watch.batch?.milliseconds ?? 0) > 500
    }
    try #require(isHanging)
    running.backfill.watch.want(.pause, by: "test")
    try running.await(within: .seconds(15)) { $0.state.name == "paused" }
    #expect(running.last?.progress.rows == 10)
    try ledger.run("UPDATE public.slow SET yes = false")
    running.backfill.watch.want(.resume, by: "test")
    #expect(try running.finish().account.description == "30 looked at, 30 written")
  }

  @Test("a flag file holds it while it exists; a question that fails holds it until it is answered")
  func flagAndQuery() throws {
    let directory = try scratch()
    defer { try? FileManager.default.removeItem(atPath: directory) }
    var ledger = try slow("control_flag")
    ledger.definition.backfill.signals = .init(
      limits: [:], queries: [.init(name: "jobs", sql: "SELECT count(*) FROM public.jobs", limit: .init(5))],
      flagFile: directory + "/hold")
    let running = try RunningBackfill(ledger)
    try running.await { $0.state.name == "held" }
    #expect(
      running.last?.state.reason?.hasPrefix(
        "jobs unknown (relation \"public.jobs\" does not exist (SQLSTATE 42P01)), measured ") == true,
      "\(running.last?.state.reason ?? "")")
    #expect(running.last?.progress.rows == 0)
    try ledger.run("CREATE TABLE public.jobs (n int); INSERT INTO public.jobs SELECT generate_series(1, 6)")
    try running.await { $0.state.reason?.hasPrefix("jobs 6, limit 5, measured ") == true }
    try ledger.run("TRUNCATE public.jobs")
    try running.await { $0.state.name == "working" && $0.progress.rows > 0 }
    #expect(FileManager.default.createFile(atPath: directory + "/hold", contents: nil))
    try running.await { $0.state.reason?.hasPrefix("flag_file 1, limit 1 (\(directory)/hold)") == true }
    let held = try #require(running.last?.progress.rows)
    try FileManager.default.removeItem(atPath: directory + "/hold")
    try running.await { $0.progress.rows > held }
    ledger.definition.backfill.pause = .init(0)
    #expect(try running.finish().clocks.throttled > 100)
  }

  @Test("outside its window it waits and says until when; windows are in their zone, by the server's clock")
  func windows() throws {
    var ledger = try slow("control_window")
    let session = try ledger.connect()
    // Noon or midnight in a zone where it is far from both.
    let far = try session.query(
      """
      SELECT to_char(t - interval '3 hours', 'HH24:MI') || '-' || to_char(t - interval '2 hours', 'HH24:MI')
        FROM (SELECT clock_timestamp() AT TIME ZONE 'Asia/Tokyo' AS t) AS now
      """, purpose: "ask")[0, 0]
    ledger.definition.backfill.windows = [try #require(MaintenanceWindow("\(far ?? "") Asia/Tokyo"))]
    let running = try RunningBackfill(ledger)
    try running.await { $0.state.name == "shut" }
    #expect(running.last?.state.reason?.hasSuffix(" Asia/Tokyo") == true)
    #expect(running.last?.progress.rows == 0)
    try running.stop()
    ledger.definition.backfill.windows.append(try #require(MaintenanceWindow("00:00-24:00 Asia/Tokyo")))
    #expect(try ledger.backfill(interrupt).written == 2000)
  }

  @Test("a zone that the server does not know is an error of the definition's, at once")
  func zone() throws {
    var ledger = try slow("control_zone")
    ledger.definition.backfill.windows = [try #require(MaintenanceWindow("00:00-24:00 Mars/Olympus"))]
    let error = #expect(throws: MigrationError.self) { _ = try ledger.backfill(interrupt) }
    #expect(
      error?.description == "backfill.windows: time zone \"Mars/Olympus\" not recognized",
      "\(error.map { "\($0)" } ?? "")")
  }

  @Test(
    "a table of an older version is brought up to date, and its backfill gone on with; a newer one is refused"
  )
  func versions() throws {
    let ledger = try slow("control_versions")
    try ledger.run(
      """
      DROP TABLE IF EXISTS crossfade.backfill;
      \(BackfillTable.firstStatement);
      INSERT INTO crossfade.backfill (slot, last_key, bound, rows, written, expected)
        VALUES ('\(ledger.definition.slot)', '{500}', '{2000}', 500, 480, 2000)
      """)
    #expect(
      try BackfillProgress.load(slot: ledger.definition.slot, on: ledger.connect())?.account.right == 20)
    let done = try ledger.backfill(interrupt)
    #expect(done.account.description == "2000 looked at, 1980 written, 20 right already")
    try ledger.run("UPDATE crossfade.backfill SET format = 3")
    let error = #expect(throws: MigrationError.self) { _ = try ledger.backfill(interrupt) }
    #expect(
      error?.description.contains("it was written by a newer crossfade (format 3, this one knows 2)") == true)
  }
}
