/// Compares a change log with the audit: every committed transaction is in it once, with exactly its changes in their
/// order, and the transactions stand in the order in which they committed.
struct ExactlyOnce: Sendable, CustomStringConvertible {
  /// What is wrong, in words; the first few of each kind.
  private(set) var findings: [String] = []
  private(set) var transactions = 0
  private(set) var changes = 0
  private var counts: [String: Int] = [:]

  private static let shownOfAKind = 3

  init(log: LoggedHistory, audit: AuditedHistory) {
    compareTransactions(log, audit)
    compareOrder(log, audit)
  }

  var description: String {
    findings.isEmpty
      ? "\(transactions) transactions, \(changes) changes, each once and in order"
      : findings.joined(separator: "\n")
  }

  private mutating func find(_ kind: String, _ detail: String) {
    counts[kind, default: 0] += 1
    if counts[kind, default: 0] <= Self.shownOfAKind { findings.append("\(kind): \(detail)") }
  }

  private mutating func compareTransactions(_ log: LoggedHistory, _ audit: AuditedHistory) {
    var expected: [UInt32: [RowStep]] = [:]
    for entry in audit.entries { expected[entry.xid, default: []].append(entry.step) }
    var seen: Set<UInt32> = []
    for transaction in log.transactions {
      transactions += 1
      changes += transaction.steps.count
      guard seen.insert(transaction.xid).inserted else {
        find("twice in the log", "transaction \(transaction.xid) again at \(transaction.commitEnd)")
        continue
      }
      guard let steps = expected[transaction.xid] else {
        find(
          "not in the audit",
          "transaction \(transaction.xid) at \(transaction.commitEnd): \(transaction.steps)")
        continue
      }
      if steps != transaction.steps {
        find("changes differ", "transaction \(transaction.xid): log \(transaction.steps), audit \(steps)")
      }
    }
    for xid in expected.keys.sorted() where !seen.contains(xid) {
      find("missing from the log", "transaction \(xid): \(expected[xid] ?? [])")
    }
  }

  private mutating func compareOrder(_ log: LoggedHistory, _ audit: AuditedHistory) {
    for (earlier, later) in zip(log.transactions, log.transactions.dropFirst())
    where earlier.commitEnd >= later.commitEnd {
      find("out of order", "\(later.commitEnd) after \(earlier.commitEnd)")
    }
    let inLog = Self.byKey(log.transactions.flatMap(\.steps))
    let inAudit = Self.byKey(audit.entries.map(\.step))
    for key in inAudit.keys.sorted() where inLog[key] != inAudit[key] {
      find("row's history differs", "id \(key): log \(inLog[key] ?? []), audit \(inAudit[key] ?? [])")
    }
  }

  private static func byKey(_ steps: [RowStep]) -> [Int64: [RowStep]] {
    Dictionary(grouping: steps) { $0.key }
  }
}
