import Foundation
import PGOutput
import Postgres

extension VerifyStore {
  /// How many rows that are wrong are kept by key; more are counted only.
  static let keptRows = 10_000

  /// The pass that is kept; nil when there is none.
  func load() throws(PostgresError) -> PassState? {
    let purpose = "read the verification's progress"
    let rows = try connection.query(
      """
      SELECT fingerprint, since, to_json(bound), to_json(last_key), expected, rows, settled, undecided, counts, first,
             witness, followed, invalid, finished_at IS NOT NULL, format
        FROM crossfade.verification WHERE slot = $1
      """, [.text(slot)], purpose: purpose)
    guard rows.rowCount == 1 else { return nil }
    guard (rows.integer(0, 14) ?? 0) <= Int64(VerifySchema.format) else {
      throw .unexpected(
        purpose: purpose, what: "crossfade.verification was written by a newer Crossfade: use that one")
    }
    guard let fingerprint = rows[0, 0], let since = rows[0, 1].flatMap({ LSN($0) }),
      let followed = rows[0, 11].flatMap({ LSN($0) }),
      let counts = try? JSONDecoder().decode([String: Int64].self, from: Data((rows[0, 8] ?? "").utf8)),
      let first = try? JSONDecoder().decode([OpenRow].self, from: Data((rows[0, 9] ?? "").utf8))
    else { throw .unexpected(purpose: purpose, what: "a row that does not read as such") }
    var state = PassState(
      fingerprint: fingerprint, since: since, bound: rows[0, 2].flatMap(JSONStrings.parse),
      expected: rows.integer(0, 4) ?? 0)
    state.lastKey = rows[0, 3].flatMap(JSONStrings.parse)
    state.found.rows = rows.integer(0, 5) ?? 0
    state.found.settled = rows.integer(0, 6) ?? 0
    state.found.undecided = rows.integer(0, 7) ?? 0
    for (name, count) in counts {
      if let kind = Verification.Class(rawValue: name) { state.found.counts[kind] = count }
    }
    state.found.first = first.compactMap(\.mismatch)
    state.found.witness = rows[0, 10]
    state.followed = followed
    state.invalid = rows[0, 12]
    state.finished = rows.boolean(0, 13)
    return state
  }

  /// The rows that are suspect, undecided or wrong.
  func open() throws(PostgresError) -> OpenRows {
    let rows = try connection.query(
      """
      SELECT key::text, kind, version, seen, old_value, new_value FROM crossfade.verification_row
       WHERE slot = $1 ORDER BY seen, key
      """, [.text(slot)], purpose: "read the suspects")
    var open = OpenRows()
    for row in 0..<rows.rowCount {
      guard let key = rows[row, 0], let kind = rows[row, 1], let version = rows[row, 2],
        let seen = rows[row, 3].flatMap({ LSN($0) })
      else { continue }
      let suspect = SuspectBook.Suspect(row: SeenRow(key: key, version: version), seen: seen)
      if let kind = Verification.Class(rawValue: kind) {
        open.wrong.append(
          (.init(kind: kind, key: key, from: rows[row, 4], to: rows[row, 5], seen: seen), version))
      } else if kind == OpenRow.undecided {
        open.undecided.append(suspect)
      } else {
        open.add([suspect])
      }
    }
    return open
  }
}
