public import Postgres

extension Cluster {
  /// A standby of a running cluster, started: a copy that streams through a physical slot named `slot`, and that
  /// synchronizes the primary's failover slots where its release does (17 and later).
  public static func standby(of primary: Cluster, slot: String = "standby") throws(ClusterError) -> Cluster {
    var configuration = primary.configuration
    configuration.installation = primary.installation
    configuration.settings.merge([
      "primary_conninfo": primary.conninfo() + " application_name=\(slot)",
      "primary_slot_name": slot,
      "hot_standby_feedback": "on",
      "wal_receiver_status_interval": "1s",
    ]) { $1 }
    if primary.installation.majorVersion >= 17 { configuration.settings["sync_replication_slots"] = "on" }
    let standby = try Cluster(configuration, password: primary.password) { data throws(ClusterError) in
      try data.copy(from: primary.conninfo(), slot: slot)
    }
    try standby.start()
    return standby
  }

  /// Makes a standby a primary, on a timeline of its own, and waits until it takes writes.
  ///
  /// - Throws: `ClusterError.promotionFailed` when it does not within a minute.
  public func promote() throws(ClusterError) {
    let isPromoted: Bool
    do {
      isPromoted = try connect().query("SELECT pg_promote(true, 60)", purpose: "promote the standby")
        .boolean(0, 0)
    } catch {
      throw .promotionFailed(reason: "\(error)", log: logTail())
    }
    guard isPromoted else { throw .promotionFailed(reason: "it is still a standby", log: logTail()) }
  }

  /// Waits until a standby has replayed what `primary` has flushed by now; false when it has not after `limit`.
  public func hasReplayed(
    _ primary: Cluster, within limit: Duration = .seconds(30)
  ) throws(PostgresError) -> Bool {
    let target = try primary.connect().query("SELECT pg_current_wal_flush_lsn()", purpose: "ask")[0, 0]
    let session = try connect()
    return try eventually(within: limit) { () throws(PostgresError) -> Bool in
      try session.query(
        "SELECT pg_last_wal_replay_lsn() >= $1::pg_lsn", [.text(target ?? "")], purpose: "ask"
      ).boolean(0, 0)
    }
  }

  /// A connection string that finds whichever of some clusters takes writes.
  public static func conninfo(primaryAmong clusters: [Cluster], database: String) -> String {
    let hosts = clusters.map(\.path).joined(separator: ",")
    let ports = clusters.map { "\($0.port)" }.joined(separator: ",")
    return "host=\(hosts) port=\(ports) user=\(DataDirectory.superuser) dbname=\(database) "
      + "target_session_attrs=read-write"
  }
}
