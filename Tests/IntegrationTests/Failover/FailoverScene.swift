import LocalCluster
import Postgres
import Testing

/// A primary with a standby, a ledger on it with Crossfade beside it, and a connection string that names both servers.
final class FailoverScene {
  let primary: Cluster
  let standby: Cluster
  let ledger: LedgerFixture
  let seed: UInt64

  /// - Parameter isGuarded: whether changes are sent only once the standby has them (17 and later).
  init(_ name: String, on installation: PostgresInstallation?, isGuarded: Bool) throws {
    seed = Seed.draw(for: name)
    var configuration = ClusterConfiguration()
    configuration.installation = installation
    configuration.isDurable = false
    primary = try Cluster.running(configuration)
    standby = try Cluster.standby(of: primary)
    if isGuarded { try primary.configure(["synchronized_standby_slots": "standby"]) }
    ledger = try LedgerFixture(
      name, on: primary, source: Cluster.conninfo(primaryAmong: [primary, standby], database: name))
  }

  /// Waits until the slot would survive a promotion: synchronized, and no longer temporary.
  func awaitSynchronizedSlot(_ process: CrossfadeProcess) throws {
    let (ours, theirs) = (try primary.connect(), try standby.connect())
    let isThere = try eventually(within: .seconds(90)) { () throws(PostgresError) -> Bool in
      // A slot becomes ready when the primary's has moved past where the standby began to keep WAL and rows.
      try ours.query("SELECT pg_log_standby_snapshot()", purpose: "move the slot")
      return try theirs.query(
        "SELECT EXISTS (SELECT FROM pg_replication_slots WHERE slot_name = $1 AND synced AND NOT temporary)",
        [.text(ledger.slot)], purpose: "ask"
      ).boolean(0, 0)
    }
    guard isThere else {
      throw NeverHappened(what: "a synchronized slot", output: process.outputTail + "\n" + standby.logTail())
    }
  }

  func failOver() throws {
    try primary.kill9()
    try standby.promote()
  }

  /// Waits until traffic has done so much more.
  func await(_ more: Int = 150, of workload: Workload, _ process: CrossfadeProcess) throws {
    let before = workload.tally().committed
    guard eventually(within: .seconds(90), { workload.tally().committed >= before + more }) else {
      throw NeverHappened(what: "traffic", output: process.outputTail)
    }
  }
}

/// A server of one major, or the end of the test with the reason.
func installation(ofMajor major: Int) throws -> PostgresInstallation {
  do throws(InstallationError) {
    return try PostgresInstallation.find(major: major)
  } catch {
    try Test.cancel("\(error)")
  }
}
