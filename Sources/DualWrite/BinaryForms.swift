package import Derivation
package import PGOutput
package import Postgres

/// How binary values of a slot's key, status and state read where their types are not built in: enums, domains.
package enum BinaryForms {
  /// The forms, by type.
  package static func find(
    _ derive: SlotDefinition.Derive, on connection: Connection
  ) throws(PostgresError) -> [TypeOID: BinaryForm] {
    let columns = try TableColumn.find(
      (derive.key + [derive.from, derive.to]).map(\.name), schema: derive.table.schema.name,
      table: derive.table.name.name, on: connection)
    var forms: [TypeOID: BinaryForm] = [:]
    for column in columns {
      forms[TypeOID(rawValue: column.typeOID)] = column.sendFunction.flatMap {
        BinaryForm(sendFunction: $0)
      }
    }
    return forms
  }
}
