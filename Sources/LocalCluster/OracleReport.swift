/// One way in which a ledger can be wrong.
public enum OracleCheck: String, CaseIterable, Hashable, Sendable {
  /// A row's status is not what its last audit entry says.
  case statusDiffers = "status differs from the audit"
  /// The audit has the row, the table has not.
  case rowLost = "row lost"
  /// The audit says the row was deleted, and there it is.
  case rowUndeleted = "deleted row is back"
  /// The table has a row that no audit entry made.
  case rowUnaudited = "row without audit"
  /// A row of a known status has no state.
  case incomplete = "state missing"
  /// A row has a state that its status does not map to; NULL and unknown statuses map to none.
  case incorrect = "state wrong"
  /// A row's state is not in the table of states.
  case orphaned = "state not in the table of states"
}

/// Rows that fail one check.
public struct OracleFinding: Hashable, Sendable, CustomStringConvertible {
  /// The check.
  public let check: OracleCheck
  /// How many rows.
  public let count: Int
  /// The lowest ten keys.
  public let firstKeys: [Int64]

  /// "state wrong: 3 rows (ids 1, 5, 9)".
  public var description: String {
    let keys = firstKeys.map(String.init).joined(separator: ", ") + (count > firstKeys.count ? ", ..." : "")
    return "\(check.rawValue): \(count) \(count == 1 ? "row" : "rows") (\(count == 1 ? "id" : "ids") \(keys))"
  }
}

/// What the oracle saw.
public struct OracleReport: Hashable, Sendable, CustomStringConvertible {
  /// Live rows.
  public let rows: Int
  /// Live rows whose status is NULL or maps to nothing. No mistake as long as they have no state.
  public let unmapped: Int
  /// What is wrong, in the order of `OracleCheck`; empty when all is well.
  public let findings: [OracleFinding]

  /// Whether nothing is wrong.
  public var isClean: Bool { findings.isEmpty }

  /// Rows that fail a check; zero where none does.
  public func count(_ check: OracleCheck) -> Int { findings.first { $0.check == check }?.count ?? 0 }

  /// A line a finding, or one that says that there is none.
  public var description: String {
    let head = "\(rows) rows, \(unmapped) of unmapped status"
    guard !findings.isEmpty else { return "\(head): all as it should be" }
    return ([head] + findings.map { "  \($0)" }).joined(separator: "\n")
  }
}
