import Glibc
import LocalCluster
import Postgres

/// Makes a standby slow, a pause of two thirds of a second in each second, and watches how much WAL it has not replayed.
struct StandbyWatch {
  private let interrupt: Interrupt
  private let worker: Worker<Result<Int64, PostgresError>>

  init(primary: Cluster, standby: Cluster) throws {
    guard let interrupt = Interrupt() else { throw BenchError("out of file descriptors") }
    self.interrupt = interrupt
    let (there, here) = (primary.conninfo(), standby.conninfo())
    worker = Worker {
      do throws(PostgresError) {
        return .success(try Self.watch(there, here, interrupt))
      } catch {
        return .failure(error)
      }
    }
  }

  /// Lets the standby go. The most it was behind, in MiB.
  func end() throws -> Double {
    interrupt.stop()
    while !worker.isFinished { usleep(1000) }
    return Double(try worker.result?.get() ?? 0) / 1_048_576
  }

  private static func watch(
    _ primary: String, _ standby: String, _ interrupt: Interrupt
  ) throws(PostgresError) -> Int64 {
    let options = Connection.Options(applicationName: "crossfade-bench watch")
    let here = try Connection(standby, options: options)
    let there = try Connection(primary, options: options)
    var most: Int64 = 0
    var look = 0
    // Twenty looks a second.
    while !interrupt.wait(milliseconds: 50) {
      if look % 20 == 0 { try here.query("SELECT pg_wal_replay_pause()", purpose: "hold the standby") }
      if look % 20 == 13 { try here.query("SELECT pg_wal_replay_resume()", purpose: "let it go") }
      look += 1
      let behind = try there.query(
        "SELECT max(pg_wal_lsn_diff(pg_current_wal_lsn(), replay_lsn))::bigint FROM pg_stat_replication",
        purpose: "ask how far the standby is behind"
      ).integer(0, 0)
      most = max(most, behind ?? 0)
    }
    try here.query("SELECT pg_wal_replay_resume()", purpose: "let it go")
    return most
  }
}
