import PGOutput
import Postgres

/// Names for the types of columns: of those that are built in the server's, of any other what `Y` said.
struct TypeNames {
  private static let firstOther: UInt32 = 10_000

  private let session: Connection
  private var told: [TypeOID: String] = [:]

  init(session: Connection) { self.session = session }

  mutating func note(_ type: TypeName) {
    told[type.id] =
      type.namespace == "public" || type.namespace.isEmpty
      ? type.name : "\(type.namespace).\(type.name)"
  }

  /// The name; of a type that should have come with a `Y` and did not, its being unknown.
  func name(of column: Column) throws -> String {
    guard column.type.rawValue < Self.firstOther else { return told[column.type] ?? "UNKNOWN" }
    let modifier = Int64(column.typeModifier)
    let rows = try session.query(
      "SELECT format_type($1::oid, $2::int)",
      [.integer(column.type.rawValue), modifier < 0 ? .null : .integer(modifier)], purpose: "name a type")
    return rows[0, 0] ?? "?"
  }
}
