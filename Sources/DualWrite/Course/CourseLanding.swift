import PGOutput
import Postgres

/// What came of a flight of the standings `both` and `rest`.
struct CourseLanding {
  /// Rows written.
  var rows: Int
  /// The checkpoint.
  var end: LSN
  /// Where the WAL stood after the look.
  var seen: LSN
  /// The lines that are still open, in their order.
  var open: [OpenRow] = []

  /// - Parameter result: at least one row.
  init(_ result: QueryResult, rows: Int, _ purpose: String) throws(PostgresError) {
    guard let end = result[0, 3].flatMap({ LSN($0) }), let seen = result[0, 4].flatMap({ LSN($0) }) else {
      throw .unexpected(purpose: purpose, what: "a checkpoint that does not read as one")
    }
    self.rows = rows
    self.end = end
    self.seen = seen
    for row in 0..<result.rowCount {
      guard let place = result.integer(row, 5) else { continue }
      open.append(
        OpenRow(
          line: Int(place) - 1, version: result[row, 6].flatMap { UInt32($0) },
          canBeWritten: result.boolean(row, 7)))
    }
  }
}
