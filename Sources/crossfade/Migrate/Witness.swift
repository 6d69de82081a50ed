import Derivation
import Migration
import PGOutput
import Postgres

/// Tells whether everything committed before a position is applied.
struct Witness {
  let definition: SlotDefinition
  let connection: Connection

  func hasPassed(_ position: LSN) throws(PostgresError) -> Bool {
    try AppliedPosition(definition, on: connection).read(enough: position) >= position
  }
}
