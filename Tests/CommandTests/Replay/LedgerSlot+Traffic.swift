import Glibc
import LocalCluster
import Postgres

extension LedgerSlot {
  /// Changes the status of one row of the first ninety after the other, for so long; the number of changes.
  func traffic(
    milliseconds: Int, statuses: [String] = ["AUTH", "CAPTURED", "Settled", "DECLINED"],
    pauseMicroseconds: UInt32 = 0
  ) -> Worker<Result<Int, PostgresError>> {
    let conninfo = cluster.conninfo(database: name)
    return Worker {
      Result { () throws(PostgresError) -> Int in
        let session = try Connection(conninfo, options: .init(applicationName: "traffic"))
        let until = Deadline.after(milliseconds: milliseconds)
        var count = 0
        while !until.hasPassed {
          for status in statuses {
            try session.query(
              // One row a statement: several, locked in the order of the heap, would now and then meet ours crosswise.
              "UPDATE transactions SET status = $1 WHERE id = (SELECT 1 + floor(random() * 90)::int)",
              [.text(status)], purpose: "change a row")
            count += 1
            if pauseMicroseconds > 0 { usleep(pauseMicroseconds) }
          }
        }
        return count
      }
    }
  }
}
