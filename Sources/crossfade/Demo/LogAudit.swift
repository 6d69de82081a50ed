import ArgumentParser
import ChangeLog
import Operations
import PGOutput
import Postgres

/// Compares the change log with what the application wrote down of itself: every change of its transactions must be in
/// the log exactly once, and nothing else.
///
/// Transactions are told by their number: all from `horizon` on began when capture was under way. Our own writes must
/// not be in the log, so a transaction there that the application does not know is one too many.
struct LogAudit {
  let directory: String
  /// A transaction number of 64 bits; the log holds the low 32.
  let horizon: Int64

  /// Row changes by transaction, as the application's audit has them. A subtransaction that was rolled back left none,
  /// one that was kept would stand here under its own number: the traffic has none of these.
  static func audited(from horizon: Int64, on connection: Connection) throws(PostgresError) -> [UInt32: Int] {
    let rows = try connection.query(
      """
      SELECT xmin::text::bigint, count(*) FROM public.ledger_audit
       WHERE op <> 'load' AND xmin::text::bigint >= $1 GROUP BY 1
      """, [.integer(horizon)], purpose: "read the application's audit")
    var changes: [UInt32: Int] = [:]
    for row in 0..<rows.rowCount {
      guard let xid = rows.integer(row, 0).flatMap(UInt32.init(exactly:)) else { continue }
      changes[xid] = Int(rows.integer(row, 1) ?? 0)
    }
    return changes
  }

  /// Reads the whole log and compares.
  func compare(with audited: [UInt32: Int]) throws(Failure) -> DemoFigures.LogAudit {
    var result = DemoFigures.LogAudit()
    let logged: [UInt32: Int]
    do throws(ChangeLogError) {
      let verified = try LogVerifier.verify(directory: directory)
      result.damage = verified.problems.map(\.description)
      result.bytes = verified.bytes
      result.segments = verified.segments
      logged = try changes()
    } catch {
      throw Failure(error)
    }
    result.audited = audited.values.reduce(0, +)
    for (xid, expected) in audited {
      let found = logged[xid] ?? 0
      if found == expected { result.once += expected }
      if found < expected { result.lost += 1 }
      if found > expected { result.surplus += 1 }
    }
    result.surplus += logged.keys.count { audited[$0] == nil }
    return result
  }

  /// Row changes by transaction, as the log has them.
  private func changes() throws(ChangeLogError) -> [UInt32: Int] {
    guard let summary = try ChangeLogWriter.inspect(directory: directory) else {
      throw .noLog(directory: directory)
    }
    let reader = try LogReader(directory: directory, after: summary.start)
    var counts: [UInt32: Int] = [:]
    var current: UInt32?
    while reader.position < summary.end, let chunk = try reader.next(timeout: .seconds(10)) {
      try chunk.forEachRecord { (record) throws(ChangeLogError) in
        switch record.payload.first.flatMap(MessageTag.init) {
        case .begin: current = record.xid
        case .insert, .update, .delete:
          guard let current, Int64(current) >= horizon else { return }
          counts[current, default: 0] += 1
        default: break
        }
      }
    }
    return counts
  }
}

extension LogRecord {
  /// The transaction number of a Begin message: its last four bytes, after final LSN and commit time
  /// (`proto.c logicalrep_write_begin`).
  fileprivate var xid: UInt32? {
    guard payload.count == 21 else { return nil }
    return payload[17..<21].reduce(0) { $0 << 8 | UInt32($1) }
  }
}
