import ChangeLog
public import Derivation
import DualWrite
public import PGOutput
public import Postgres

/// Up to where everything committed is applied: by the checkpoint, or, when nothing is under way, by the log's watermark.
///
/// The checkpoint is read over the session that looks at the rows: what it says is visible there, on a standby too.
public struct AppliedPosition {
  let definition: SlotDefinition
  let connection: Connection

  /// The applied position of a slot.
  public init(_ definition: SlotDefinition, on connection: Connection) {
    self.definition = definition
    self.connection = connection
  }

  /// The position; `.invalid` before capture has begun. The log is asked only when the checkpoint is not enough.
  public func read(enough: LSN) throws(PostgresError) -> LSN {
    guard let checkpoint = try Checkpoint.load(slot: definition.slot, on: connection) else { return .invalid }
    if checkpoint.endLSN >= enough { return checkpoint.endLSN }
    // No log here, or one that cannot be read just now: the checkpoint alone is certain.
    guard let log = try? ChangeLogWriter.inspect(directory: definition.log.directory),
      checkpoint.endLSN >= log.end
    else { return checkpoint.endLSN }
    return max(checkpoint.endLSN, log.watermark)
  }
}
