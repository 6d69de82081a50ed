public import Postgres

extension AuditTrail {
  /// A row as it stands.
  public struct Row: Sendable, Hashable {
    /// Its place in the slot's trail, from 1.
    public var number: Int64
    /// When, in UTC.
    public var at: String
    /// The role of the session, and of the statement where that was another.
    public var role: String
    /// `user@host` of the process.
    public var operatingSystemUser: String
    /// Address and `application_name` of the session.
    public var client: String
    /// The program's version.
    public var toolVersion: String
    /// The step it is about.
    public var step: String?
    /// What kind of thing.
    public var event: String
    /// What was run.
    public var statement: String?
    /// Milliseconds that the lock was waited for.
    public var lockWait: Int64?
    /// Where the WAL stood.
    public var lsn: String
    /// More, as JSON.
    public var details: String
    /// The hash it was sealed with.
    public var hash: String
  }

  /// What is wrong with the trail.
  public enum Fault: Sendable, Hashable {
    /// A row does not have the hash of its content.
    case changed(number: Int64)
    /// Rows are not there.
    case missing(ClosedRange<Int64>)
    /// A row does not follow from the one before.
    case unchained(number: Int64)
    /// The last row is not the one that the migration's row remembers.
    case otherEnd(number: Int64)
  }

  /// The rows in order, and what is wrong with them. Nil when the slot has no trail.
  public func read() throws(PostgresError) -> (rows: [Row], faults: [Fault])? {
    let purpose = "read the audit trail"
    guard
      try connection.query("SELECT to_regclass('crossfade.audit') IS NOT NULL", purpose: purpose).boolean(
        0, 0)
    else { return nil }
    // One snapshot for both.
    return try connection.transaction("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", purpose: purpose) {
      () throws(PostgresError) -> (rows: [Row], faults: [Fault])? in try look()
    }
  }

  /// As `read`, in a transaction that stands already, and has one snapshot; the tables are there.
  func look() throws(PostgresError) -> (rows: [Row], faults: [Fault])? {
    let purpose = "read the audit trail"
    let end = try connection.query(
      "SELECT audit_seq, audit_hash FROM crossfade.migration WHERE slot = $1", [.text(slot)],
      purpose: purpose)
    let found = try connection.query(
      """
      SELECT seq, to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.MS'), session_role, current_role_name, os_user, client,
             tool_version, step, event, statement, lock_wait_ms, lsn, details::text, hash, previous, \(Self.hash)
        FROM crossfade.audit AS a WHERE slot = $1 ORDER BY seq
      """, [.text(slot)], purpose: purpose)
    guard end.rowCount > 0 || found.rowCount > 0 else { return nil }
    var rows: [Row] = []
    var check = ChainCheck()
    for row in 0..<found.rowCount {
      let (number, hash) = (found.integer(row, 0) ?? 0, found[row, 13] ?? "")
      check.row(number: number, hash: hash, previous: found[row, 14] ?? "", computed: found[row, 15] ?? "")
      let (session, current) = (found[row, 2] ?? "", found[row, 3] ?? "")
      rows.append(
        Row(
          number: number, at: found[row, 1] ?? "",
          role: session == current ? session : "\(session) as \(current)",
          operatingSystemUser: found[row, 4] ?? "", client: found[row, 5] ?? "",
          toolVersion: found[row, 6] ?? "", step: found[row, 7], event: found[row, 8] ?? "",
          statement: found[row, 9], lockWait: found.integer(row, 10), lsn: found[row, 11] ?? "",
          details: found[row, 12] ?? "{}", hash: hash))
    }
    check.end(number: end.integer(0, 0) ?? 0, hash: end[0, 1] ?? "")
    return (rows, check.faults)
  }
}

/// Follows a chain of hashes, row after row.
struct ChainCheck {
  private(set) var faults: [AuditTrail.Fault] = []
  private var last: (number: Int64, hash: String) = (0, "")

  mutating func row(number: Int64, hash: String, previous: String, computed: String) {
    if number > last.number + 1 {
      faults.append(.missing(last.number + 1...number - 1))
    } else if previous != last.hash {
      faults.append(.unchained(number: number))
    }
    if hash != computed { faults.append(.changed(number: number)) }
    last = (number, hash)
  }

  /// What the migration's row says of the end.
  mutating func end(number: Int64, hash: String) {
    if number > last.number {
      faults.append(.missing(last.number + 1...number))
    } else if number < last.number || hash != last.hash {
      faults.append(.otherEnd(number: last.number))
    }
  }
}

extension AuditTrail.Fault: CustomStringConvertible {
  /// In a sentence.
  public var description: String {
    switch self {
    case .changed(let number): "row \(number) was changed: its hash is not that of its content"
    case .missing(let rows) where rows.count == 1: "row \(rows.lowerBound) is missing"
    case .missing(let rows): "rows \(rows.lowerBound) to \(rows.upperBound) are missing"
    case .unchained(let number):
      "row \(number) does not follow from the one before: that was changed or exchanged"
    case .otherEnd(let number): "row \(number) is not the end that crossfade.migration remembers"
    }
  }
}
