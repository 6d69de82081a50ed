import PGOutput

/// The commit ends that are read and not yet in the checkpoint, in order.
struct CheckpointPath: Equatable, Sendable {
  struct Stretch: Equatable, Sendable {
    var end: LSN
    var transactions: Int
    var changes: Int
    var account = Account()
  }

  private(set) var stretches: [Stretch] = []
  /// Changes of a transaction whose end is to come.
  private var partial = 0

  var isEmpty: Bool { stretches.isEmpty }
  /// The last end.
  var end: LSN? { stretches.last?.end }
  /// What lies before it.
  var transactions: Int { stretches.reduce(0) { $0 + $1.transactions } }
  var changes: Int { stretches.reduce(0) { $0 + $1.changes } }

  /// So many at most: while one row holds the checkpoint, those that come are counted with the last.
  static let most = 256

  mutating func append(_ batch: Batch) {
    guard let end = batch.endLSN else {
      partial += batch.changes
      return
    }
    append(
      Stretch(
        end: end, transactions: batch.transactions, changes: partial + batch.changes, account: batch.account))
    partial = 0
  }

  mutating func append(_ stretch: Stretch) {
    guard stretches.count >= Self.most, var last = stretches.popLast() else {
      stretches.append(stretch)
      return
    }
    last.end = stretch.end
    last.transactions += stretch.transactions
    last.changes += stretch.changes
    last.account.add(stretch.account)
    stretches.append(last)
  }

  /// What can be passed while something is open there. `CourseSQL` says the same to the server.
  func before(_ open: LSN?) -> CheckpointPath {
    guard let open else { return self }
    var path = self
    path.stretches.removeAll { $0.end >= open }
    return path
  }

  /// The checkpoint stands here now.
  mutating func passed(_ end: LSN) { stretches.removeAll { $0.end <= end } }
}
