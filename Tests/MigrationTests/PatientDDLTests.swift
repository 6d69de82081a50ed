import LocalCluster
import Postgres
import Testing

@testable import Migration

@Suite("Patient DDL", .timeLimit(.minutes(10))) struct PatientDDLTests {
  private let interrupt: Interrupt

  init() throws { interrupt = try #require(Interrupt()) }

  private func patient(_ ledger: LedgerDatabase, attempts: Int) throws -> PatientDDL {
    try PatientDDL(
      connection: ledger.connect("patient"), interrupt: interrupt, logger: LedgerDatabase.logger,
      attempts: attempts)
  }

  private let sql = "ALTER TABLE public.transactions ADD COLUMN state_id bigint"

  @Test("a lock that is never free ends the attempts, changes nothing, and names who holds it")
  func held() throws {
    let ledger = try LedgerDatabase("patient_held")
    let holder = try ledger.connect("a long report")
    try holder.script("BEGIN; SELECT count(*) FROM public.transactions", purpose: "hold the lock")
    var failure: MigrationError?
    do {
      try patient(ledger, attempts: 2).run(
        sql, on: "public.transactions", purpose: "add column state_id to public.transactions")
    } catch {
      failure = error as? MigrationError
    }
    guard case .lockNotObtained(_, let attempts, let blockers)? = failure else {
      Issue.record("\(String(describing: failure))")
      return
    }
    #expect(attempts == 2)
    #expect(blockers.map(\.pid) == [Int64(holder.backendPID)])
    #expect(
      failure?.description.hasPrefix(
        "could not add column state_id to public.transactions: the lock was not free in 2 attempts; held by "
          + "pid \(holder.backendPID) (a long report, idle in transaction, transaction open for ") == true)
    try holder.script("COMMIT", purpose: "let go")
    #expect(
      try ledger.column(
        "SELECT count(*) FROM pg_attribute WHERE attrelid = 'public.transactions'::regclass AND attname = 'state_id'"
      )
        == ["0"])
  }

  @Test(
    "the application behind it waits no longer than its lock_timeout, and it is done once the lock is free")
  func application() async throws {
    let ledger = try LedgerDatabase("patient_traffic")
    let holder = try ledger.connect("holder")
    try holder.script("BEGIN; SELECT count(*) FROM public.transactions", purpose: "hold the lock")
    let ddl = Worker { [interrupt, sql] () -> Bool in
      guard let connection = try? ledger.connect("patient") else { return false }
      let patient = PatientDDL(connection: connection, interrupt: interrupt, logger: LedgerDatabase.logger)
      return (try? patient.run(sql, on: "public.transactions", purpose: "add the column")) != nil
    }
    // The application reads all the while, through at least three attempts; each read that met one waited behind it.
    let application = try ledger.connect("application")
    let watcher = try ledger.connect("watcher")
    var longest: UInt64 = 0
    var met = 0
    let deadline = Deadline.after(milliseconds: 30_000)
    while met < 3, !deadline.hasPassed {
      let waiting = try watcher.query(
        "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'patient' AND wait_event_type = 'Lock' "
          + "AND datname = current_database()",
        purpose: "look whether it waits"
      ).integer(0, 0)
      let start = Deadline.now
      try application.query("SELECT count(*) FROM public.transactions", purpose: "read")
      longest = max(longest, Deadline.now - start)
      if waiting == 1 { met += 1 }
    }
    #expect(met == 3)
    // lock_timeout of the first attempts is 100 to 400 ms; the rest is room for a machine under load.
    #expect(longest < 2_000_000_000)
    try holder.script("COMMIT", purpose: "let go")
    #expect(await ddl.value)
  }

  @Test("each attempt waits a little longer, up to two seconds")
  func timeouts() {
    #expect((0..<4).map { PatientDDL.lockTimeout(attempt: $0) } == [100, 200, 300, 400])
    #expect(PatientDDL.lockTimeout(attempt: 19) == 2000)
    #expect(PatientDDL.lockTimeout(attempt: 1000) == 2000)
  }

  @Test("an error that is not about the lock is told at once")
  func otherError() throws {
    let ledger = try LedgerDatabase("patient_error")
    let error = #expect(throws: MigrationError.self) {
      try patient(ledger, attempts: 5).run(
        "ALTER TABLE public.nothing ADD COLUMN a int", on: "public.nothing", purpose: "add it")
    }
    #expect(
      error?.description == #"cannot add it: relation "public.nothing" does not exist (SQLSTATE 42P01)"#)
  }

  @Test("a stop ends the waits between attempts")
  func stopped() throws {
    let ledger = try LedgerDatabase("patient_stopped")
    let holder = try ledger.connect("holder")
    try holder.script("BEGIN; SELECT count(*) FROM public.transactions", purpose: "hold the lock")
    interrupt.stop()
    let error = #expect(throws: MigrationError.self) {
      try patient(ledger, attempts: 40).run(sql, on: "public.transactions", purpose: "add it")
    }
    #expect(error?.description == "stopped while trying to add it")
    try holder.script("COMMIT", purpose: "let go")
  }
}
