import LocalCluster
import Postgres

/// The server all scenarios share. Little memory for decoding: a transaction of 64 kB is streamed already.
enum ScenarioServer {
  private static let shared = Result {
    var configuration = ClusterConfiguration()
    configuration.isDurable = false
    configuration.settings = [
      "max_prepared_transactions": "20",
      "logical_decoding_work_mem": "64kB",
      "max_replication_slots": "40",
      "max_wal_senders": "40",
      "autovacuum": "off",
      "lc_monetary": "C",
    ]
    return try Cluster.running(configuration)
  }

  static var cluster: Cluster { get throws { try shared.get() } }

  static var major: Int { get throws { try cluster.installation.majorVersion } }
}
