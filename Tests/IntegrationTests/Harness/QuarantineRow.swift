import Postgres

/// A row of `crossfade.quarantine`.
struct QuarantineRow: Hashable, Sendable {
  var key: String
  var status: String?
  var reason: String
  var position: String?

  /// Compared byte by byte: `String` counts NFC and NFD of a text as equal.
  static func == (a: QuarantineRow, b: QuarantineRow) -> Bool { a.bytes == b.bytes }

  func hash(into hasher: inout Hasher) { hasher.combine(bytes) }

  private var bytes: [[UInt8]?] { [key, status, reason, position].map { $0.map { Array($0.utf8) } } }
}

extension LedgerFixture {
  /// What is in quarantine, in the order of the keys' texts.
  func quarantine() throws -> [QuarantineRow] {
    let rows = try connect().query(
      "SELECT key, status, reason, position FROM crossfade.quarantine WHERE slot = $1 "
        + "ORDER BY key::text COLLATE \"C\"", [.text(slot)], purpose: "read the quarantine")
    return (0..<rows.rowCount).map { row in
      QuarantineRow(
        key: rows[row, 0] ?? "", status: rows[row, 1], reason: rows[row, 2] ?? "", position: rows[row, 3])
    }
  }
}
