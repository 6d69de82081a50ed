import Postgres

/// What the application did, from its audit: entries stand in the transaction that made the change, so an entry's
/// `xmin` is the transaction's number.
struct AuditedHistory: Sendable {
  struct Entry: Hashable, Sendable {
    var xid: UInt32
    var step: RowStep
  }

  /// In the order of the changes: who changes a row next waits for its lock.
  var entries: [Entry]

  init(_ entries: [Entry]) { self.entries = entries }

  /// Reads the audit of everything but the initial load.
  init(_ session: Connection) throws {
    let rows = try session.query(
      "SELECT xmin::text, op, transaction_id, status FROM public.ledger_audit WHERE op <> 'load' ORDER BY seq",
      purpose: "read the audit")
    entries = try (0..<rows.rowCount).map { row in
      guard let xid = rows[row, 0].flatMap({ UInt32($0) }), let key = rows.integer(row, 2),
        let kind = rows[row, 1].flatMap({ RowStep.Kind(rawValue: $0) })
      else { throw PostgresError.unexpected(purpose: "read the audit", what: "row \(row)") }
      return Entry(xid: xid, step: RowStep(kind: kind, key: key, status: rows[row, 3]))
    }
  }
}
