import LocalCluster

/// What a demonstration should be like.
struct DemoPlan: Sendable {
  /// Transactions in the ledger before the migration.
  var rows = 1_000_000
  /// How long the application is measured alone.
  var aloneSeconds = 8
  /// Of all sessions of the application together.
  var transactionsPerSecond = 500
  /// Whether the cluster is left running in the end.
  var keepsCluster = false

  /// The share of the backfill that is done when everything of ours is killed.
  static let killAtShare = 0.45
  /// How long nobody listens after the kill, while the application goes on.
  static let darkMilliseconds = 2_000

  /// Eight sessions: so many commits can share one flush of the disk, and few enough for two cores.
  var workload: WorkloadPlan {
    var plan = WorkloadPlan()
    plan.writers = 8
    plan.transactionsPerSecond = Double(transactionsPerSecond)
    return plan
  }

  /// A ledger's server, not a laptop's: no checkpoint falls into the minute of the demonstration. Commits are flushed.
  var cluster: ClusterConfiguration {
    var configuration = ClusterConfiguration()
    configuration.settings = [
      "shared_buffers": "256MB", "max_wal_size": "8GB", "min_wal_size": "2GB", "checkpoint_timeout": "30min",
    ]
    return configuration
  }
}
