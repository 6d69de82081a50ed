/// What application traffic has done so far.
public struct WorkloadTally: Sendable {
  /// Statements answered, BEGIN and COMMIT included.
  public var statements = 0
  /// Database transactions known to have committed.
  public var committed = 0
  /// Database transactions rolled back on purpose.
  public var rolledBack = 0
  /// Rows inserted, in committed transactions.
  public var inserted = 0
  /// Rows moved on, in committed transactions.
  public var moved = 0
  /// Rows deleted, in committed transactions.
  public var deleted = 0
  /// Moves that found the row moved on or gone: somebody was faster.
  public var missed = 0
  /// Sessions lost, where the plan allows for it.
  public var interruptions = 0
  /// Transactions cut off by a lost session that had committed, as the audit table shows.
  public var foundCommitted = 0
  /// Transactions cut off by a lost session that had not committed.
  public var foundLost = 0
  /// Errors that an application would have seen: each text with the number of times.
  public var errors: [String: Int] = [:]
  /// From the first statement of a transaction to the answer to its last.
  public var transactionLatency = LatencyHistogram()
  /// From the moment a transaction was due to the answer to its last statement: waiting behind slow ones counts.
  /// Only with `WorkloadPlan.transactionsPerSecond`.
  public var responseLatency = LatencyHistogram()
  /// One statement and its answer.
  public var statementLatency = LatencyHistogram()

  /// Nothing done.
  public init() {}

  /// All errors.
  public var errorCount: Int { errors.values.reduce(0, +) }

  /// Texts beyond this many share one entry: an error that quotes a key must not fill memory.
  static let distinctErrors = 200

  mutating func note(error text: String) {
    let key = errors[text] == nil && errors.count >= Self.distinctErrors ? "(further errors)" : text
    errors[key, default: 0] += 1
  }

  mutating func add(_ other: WorkloadTally) {
    statements += other.statements
    committed += other.committed
    rolledBack += other.rolledBack
    inserted += other.inserted
    moved += other.moved
    deleted += other.deleted
    missed += other.missed
    interruptions += other.interruptions
    foundCommitted += other.foundCommitted
    foundLost += other.foundLost
    errors.merge(other.errors, uniquingKeysWith: +)
    transactionLatency.merge(other.transactionLatency)
    responseLatency.merge(other.responseLatency)
    statementLatency.merge(other.statementLatency)
  }
}
