import Derivation
import DualWrite
import Postgres

/// What a verification is of: the columns' names and the map's rows. Under other ones nothing of it holds.
enum Fingerprint {
  static func of(
    _ derive: SlotDefinition.Derive, _ map: StateMap, on connection: Connection
  ) throws(PostgresError) -> String {
    let names =
      [derive.table.quoted, derive.from.quoted, derive.to.quoted, derive.map.table.quoted]
      + derive.key.map(\.quoted)
    let rows = map.rows.map { row in
      [row.id, row.status].map { text in
        text.map { $0.bytes.map { String($0, radix: 16) }.joined(separator: ".") } ?? "NULL"
      }.joined(separator: "=")
    }.sorted()
    let purpose = "digest the map"
    let digest = try connection.query(
      "SELECT md5($1::text)", [.text(JSONStrings.write(names + rows))], purpose: purpose)
    guard let text = digest[0, 0] else { throw .unexpected(purpose: purpose, what: "no digest") }
    return text
  }
}
