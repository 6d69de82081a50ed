import Capture
import Derivation
import Postgres

/// Refuses an old column whose changes could not be found in the map.
struct StatusTextCheck {
  private let derive: SlotDefinition.Derive

  init(_ derive: SlotDefinition.Derive) { self.derive = derive }

  func check(on connection: Connection) throws(MigrationError) {
    let found = try MigrationError.asking { () throws(PostgresError) in
      try StreamedText.ask(
        derive.from.name, of: derive.table.name.name, schema: derive.table.schema.name, on: connection)
    }
    guard let found else { return }
    throw .notReady(
      what: "\(derive.from) of \(derive.table) \(found.text.danger(found.type))",
      hint: found.text.remedy(derive.from.quoted, of: derive.table.quoted, type: found.type))
  }
}
