import Derivation
import PGOutput
package import Postgres

/// Finds the rows of a batch that the target refuses, by halves, and puts them in quarantine; the others are applied.
package struct Poison {
  let session: TargetSession
  let plan: DualWritePlan

  /// Whether an error is about a row's data (a check, a trigger that raises), not about the schema or our rights.
  package static func isOfRow(_ state: SQLState) -> Bool {
    switch state.category {
    case "22", "23", "P0", "44", "09", "27": return true
    default: return false
    }
  }

  /// Applies what can be applied, quarantines the rest: the indexes of the keys refused. The checkpoint does not move.
  func isolate(_ batch: Batch, position: LSN) throws(PostgresError) -> [Int] {
    let keys = batch.keys.entries.indices.filter { batch.keys.entries[$0].derives }
    return try isolate(batch, keys[...], position)
  }

  private func isolate(_ batch: Batch, _ keys: ArraySlice<Int>, _ position: LSN) throws(PostgresError)
    -> [Int]
  {
    guard !keys.isEmpty else { return [] }
    do throws(PostgresError) {
      try apply(batch, keys)
      return []
    } catch {
      guard case .server(let cause) = error, Self.isOfRow(cause.sqlState) else { throw error }
      guard keys.count > 1 else {
        for key in keys { try quarantine(batch, key, cause, position) }
        return Array(keys)
      }
      let middle = keys.startIndex + keys.count / 2
      return try isolate(batch, keys[..<middle], position) + isolate(batch, keys[middle...], position)
    }
  }

  private func apply(_ batch: Batch, _ keys: ArraySlice<Int>) throws(PostgresError) {
    try session.apply(session.keyArrays(keys.map { batch.keys.key(at: $0) }))
  }

  private func quarantine(
    _ batch: Batch, _ key: Int, _ cause: ServerError, _ position: LSN
  ) throws(PostgresError) {
    try quarantine(BatchParameters.json(batch.keys, batch.keys.entries[key]), cause, position)
  }

  /// As `isolate` for a batch, of what is to be written to versions of rows: the lines refused, by their place.
  func isolate(_ lines: [IntentionLine]) throws(PostgresError) -> [Int] {
    try isolate(lines, lines.indices)
  }

  private func isolate(_ lines: [IntentionLine], _ range: Range<Int>) throws(PostgresError) -> [Int] {
    guard !range.isEmpty else { return [] }
    do throws(PostgresError) {
      try session.write(lines[range])
      return []
    } catch {
      guard case .server(let cause) = error, Self.isOfRow(cause.sqlState) else { throw error }
      guard range.count > 1 else {
        try quarantine(
          BatchParameters.json(lines[range.lowerBound].key), cause, lines[range.lowerBound].position)
        return [range.lowerBound]
      }
      let middle = range.lowerBound + range.count / 2
      return try isolate(lines, range.lowerBound..<middle) + isolate(lines, middle..<range.upperBound)
    }
  }

  private func quarantine(
    _ key: [UInt8], _ cause: ServerError, _ position: LSN
  ) throws(PostgresError) {
    try session.connection.query(
      QuarantineSQL.addFailed,
      [
        .text(plan.slot), .terminatedText(key + [0]), .text("\(cause.message) (SQLSTATE \(cause.sqlState))"),
        .text("\(position)"),
      ], purpose: "put a row in quarantine")
  }
}
