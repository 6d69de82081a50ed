import LocalCluster

extension WorkloadPlan {
  /// Four sessions with transactions of every kind, patient with a server that goes away.
  static func everyKind(seed: UInt64, perSecond: Double = 300) -> WorkloadPlan {
    var plan = WorkloadPlan()
    plan.writers = 4
    plan.seed = seed
    plan.transactionsPerSecond = perSecond
    plan.reconnectLimit = .seconds(60)
    plan.mix.insert = 30
    plan.mix.history = 10
    plan.mix.batch = 12
    plan.mix.rollback = 8
    plan.mix.savepoint = 8
    plan.mix.delete = 6
    return plan
  }
}
