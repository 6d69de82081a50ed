import ChangeLog
import Derivation
import DualWrite
import PGOutput
import Postgres

/// Tells whether everything committed before a position is applied: by the checkpoint, or, when nothing is under way,
/// by the log's watermark.
struct Witness {
  let definition: SlotDefinition
  let connection: Connection

  func hasPassed(_ position: LSN) throws(PostgresError) -> Bool {
    guard let checkpoint = try Checkpoint.load(slot: definition.slot, on: connection) else { return false }
    if checkpoint.endLSN >= position { return true }
    guard let log = try? ChangeLogWriter.inspect(directory: definition.log.directory) else { return false }
    return log.watermark >= position && checkpoint.endLSN >= log.end
  }
}
