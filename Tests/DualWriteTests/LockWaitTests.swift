import LocalCluster
import Postgres
import Testing

@testable import DualWrite

@Suite("A row that changes while its lock is waited for", .timeLimit(.minutes(10))) struct LockWaitTests {
  /// Starts our statement on another thread while the row is locked, and waits until it waits.
  private func apply(_ target: TargetDatabase) throws -> Worker<Int?> {
    let conninfo = target.cluster.conninfo(database: target.name)
    let sql = DerivationSQL(target.derive, keyTypes: ["bigint"]).applyKeys
    let worker = Worker<Int?> {
      try? Connection(
        conninfo, options: .init(applicationName: "applier", settings: DerivationSQL.planSettings)
      ).query(sql, ["{1}"], purpose: "apply").affectedRows
    }
    // Another session: inside a transaction pg_stat_activity stands still.
    let watcher = try target.connect()
    let waits = try eventually(within: .seconds(60)) {
      try watcher.query(
        "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'applier' AND wait_event_type = 'Lock' "
          + "AND datname = current_database()",
        purpose: "look whether it waits"
      ).integer(0, 0) == 1
    }
    #expect(waits)
    return worker
  }

  @Test("it ends with the state of its new status")
  func newStatus() async throws {
    let target = try TargetDatabase("lock_wait", rows: 1)
    let ledger = try target.connect()
    try ledger.script("BEGIN; UPDATE public.transactions SET status = 'AUTH' WHERE id = 1", purpose: "begin")
    let worker = try apply(target)
    try ledger.script("COMMIT", purpose: "commit")
    #expect(await worker.value == 1)
    #expect(try ledger.column("SELECT state_id FROM public.transactions") == ["1"])
  }

  @Test("an unknown new status leaves no state, and a row that is right by then is not written")
  func otherOutcomes() async throws {
    let target = try TargetDatabase("lock_wait_others", rows: 1)
    let ledger = try target.connect()
    try ledger.script("UPDATE public.transactions SET state_id = 9", purpose: "prepare a row")
    try ledger.script(
      "BEGIN; UPDATE public.transactions SET status = 'XXX' WHERE id = 1", purpose: "begin")
    let unknown = try apply(target)
    try ledger.script("COMMIT", purpose: "commit")
    #expect(await unknown.value == 1)
    #expect(try ledger.column("SELECT state_id FROM public.transactions") == ["NULL"])

    try ledger.script("UPDATE public.transactions SET status = 'AUTH'", purpose: "prepare a row")
    try ledger.script(
      "BEGIN; UPDATE public.transactions SET status = 'CAPTURED', state_id = 2", purpose: "begin")
    let right = try apply(target)
    try ledger.script("COMMIT", purpose: "commit")
    #expect(await right.value == 0)
    #expect(try ledger.column("SELECT state_id FROM public.transactions") == ["2"])
  }

  @Test("a row that is deleted meanwhile is simply not there")
  func deleted() async throws {
    let target = try TargetDatabase("lock_wait_deleted", rows: 1)
    let ledger = try target.connect()
    try ledger.script("BEGIN; DELETE FROM public.transactions WHERE id = 1", purpose: "begin")
    let worker = try apply(target)
    try ledger.script("COMMIT", purpose: "commit")
    #expect(await worker.value == 0)
  }
}
