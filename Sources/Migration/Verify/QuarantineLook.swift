import PGOutput
import Postgres

/// Looks whether each row in quarantine still belongs there.
struct QuarantineLook {
  let session: VerifySession
  let slot: String

  private static let portion = 1000

  private struct Row {
    var key: String
    var version: String
    var status: String?
    var isStale: Bool
  }

  /// Those that do not, and how many could not be judged.
  func run() throws(PostgresError) -> (stale: [Verification.Mismatch], count: Int64, undecided: Int64) {
    var found: [Verification.Mismatch] = []
    var count: Int64 = 0
    var undecided: Int64 = 0
    var last: String?
    while true {
      let (rows, position) = try ask(
        session.table.sql.quarantine, [.optional(last), .integer(Self.portion)])
      guard let end = rows.last, let position else { return (found, count, undecided) }
      last = end.key
      let suspects = rows.filter(\.isStale)
      guard !suspects.isEmpty else { continue }
      guard try session.wait(for: position) != nil else {
        undecided += Int64(suspects.count)
        continue
      }
      let again = try ask(
        session.table.sql.quarantineAgain, [.text(JSONStrings.write(suspects.map(\.key)))]
      ).rows
      let versions = Dictionary(
        again.filter(\.isStale).map { ($0.key, $0.version) }, uniquingKeysWith: { $1 })
      for row in suspects where versions[row.key] == row.version {
        count += 1
        guard found.count < Verification.shown else { continue }
        found.append(.init(kind: .stale, key: row.key, from: row.status, to: nil, seen: position))
      }
    }
  }

  private func ask(
    _ sql: String, _ parameters: [Parameter]
  ) throws(PostgresError) -> (rows: [Row], position: LSN?) {
    let rows = try session.connection.query(
      sql, [.text(slot)] + parameters, purpose: "look through the quarantine")
    return (
      (0..<rows.rowCount).map { row in
        Row(
          key: rows[row, 0] ?? "", version: rows[row, 1] ?? "", status: rows[row, 2],
          isStale: rows.boolean(row, 3))
      }, (0..<rows.rowCount).compactMap { rows[$0, 4].flatMap { LSN($0) } }.max()
    )
  }
}
