public import Postgres

/// Compares a ledger with the truth its traffic kept, and the derived column with the map. Shares no SQL and no map with
/// what it judges: the truth is `ledger_audit`, the map is `LegacyStatus`.
public struct Oracle: Sendable {
  /// Whether `state_id` is there to be judged, and the name of the table of states for the integrity check.
  public enum Scope: Hashable, Sendable {
    /// Only the rows and their statuses.
    case ledger
    /// The derived column as well.
    case derived(column: String = "state_id", states: String = "public.transaction_state")
    /// The new column alone: the old one is gone.
    case successor(column: String = "state_id")
  }

  /// What is judged.
  public var scope: Scope

  /// An oracle for a ledger, with or without its derived column.
  public init(_ scope: Scope) { self.scope = scope }

  /// Judges everything as of one moment. Pause or stop the traffic first, or a derived column that is being written is
  /// found to lag behind.
  public func judge(_ connection: Connection) throws(PostgresError) -> OracleReport {
    try connection.transaction(
      "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", purpose: "judge the ledger"
    ) { () throws(PostgresError) -> OracleReport in
      // Sorting millions of audit entries in the default 4 MB goes to disk.
      try connection.query("SET LOCAL work_mem = '128MB'", purpose: "judge the ledger")
      let totals = try connection.query(totalsSQL, purpose: "count the ledger")
      var findings = try read(connection.query(truthSQL, purpose: "compare the ledger with its audit"))
      if case .derived(let column, let states) = scope {
        findings += try read(
          connection.query(Self.derivedSQL(column, states), purpose: "compare states with statuses"))
      }
      let order = OracleCheck.allCases
      findings.sort { (order.firstIndex(of: $0.check) ?? 0) < (order.firstIndex(of: $1.check) ?? 0) }
      return OracleReport(
        rows: Int(totals.integer(0, 0) ?? 0), unmapped: Int(totals.integer(0, 1) ?? 0), findings: findings)
    }
  }

  private func read(_ result: QueryResult) throws(PostgresError) -> [OracleFinding] {
    var findings: [OracleFinding] = []
    for row in 0..<result.rowCount {
      guard let check = result[row, 0].flatMap(OracleCheck.init(rawValue:)),
        let count = result.integer(row, 1)
      else { throw .unexpected(purpose: "judge the ledger", what: "a finding of no known kind") }
      let keys = (result[row, 2] ?? "").split(separator: ",").compactMap { Int64($0) }
      findings.append(OracleFinding(check: check, count: Int(count), firstKeys: keys))
    }
    return findings
  }
}
