import PGOutput
import Postgres

/// Asks the server which subtransactions were rolled back (`pg_xact_status`).
enum RolledBack {
  /// Numbers in one question, and how long an answer may take.
  private static let share = 5000
  private static let limitMilliseconds = 10_000

  /// Those of `subtransactions` that are known to be rolled back. A savepoint that is rolled back is so in the commit log
  /// before its transaction commits; and the slot's `catalog_xmin` keeps the commit log of all that it may send.
  ///
  /// - Parameter between: called between two questions: the server that streams must hear of us meanwhile.
  static func among(
    _ subtransactions: [TransactionID], of source: Source, between: () throws(CaptureError) -> Void
  ) throws(CaptureError) -> Set<TransactionID> {
    var found: Set<TransactionID> = []
    var session = source.sql
    for start in stride(from: 0, to: subtransactions.count, by: share) {
      let some = subtransactions[start..<min(start + share, subtransactions.count)]
      let rows: QueryResult
      do {
        rows = try ask(some, on: session)
      } catch {
        // It has idled since the stream began; what lies between may have dropped it.
        guard error.isRetriable else { throw .postgres(error) }
        session = try source.anotherSession()
        do { rows = try ask(some, on: session) } catch { throw .postgres(error) }
      }
      for row in 0..<rows.rowCount {
        if let xid = rows.integer(row, 0).flatMap({ UInt32(exactly: $0) }) {
          found.insert(TransactionID(rawValue: xid))
        }
      }
      try between()
    }
    return found
  }

  private static func ask(
    _ some: ArraySlice<TransactionID>, on connection: Connection
  ) throws(PostgresError) -> QueryResult {
    try connection.query(
      """
      WITH now AS (SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint AS xmax)
      SELECT x FROM now, unnest($1::bigint[]) AS x
       WHERE pg_xact_status((
         -- The 64-bit number nearest to the newest one: the stream has the lower half.
         xmax + ((x - xmax % 4294967296 + 6442450944) % 4294967296 - 2147483648))::text::xid8) = 'aborted'
      """, [.text("{" + some.map(\.description).joined(separator: ",") + "}")],
      purpose: "ask which savepoints were rolled back", timeoutMilliseconds: limitMilliseconds)
  }
}
