public import Derivation
import DualWrite
public import Logging
public import Postgres

/// Derives the rows that were there before capture began: page after page in key order, up to a bound pinned at the
/// start. Everything that changes meanwhile, or comes after the bound, is the stream's.
public struct Backfill {
  let definition: SlotDefinition
  let interrupt: Interrupt
  let logger: Logger

  /// A backfill of a slot.
  public init(definition: SlotDefinition, interrupt: Interrupt, logger: Logger) {
    self.definition = definition
    self.interrupt = interrupt
    self.logger = logger
  }

  /// Runs to the end, from where it stood. `report` is called after every page.
  public func run(report: (BackfillProgress) -> Void) throws(MigrationError) -> BackfillProgress {
    var waits = Backoff(firstMilliseconds: 100, lastMilliseconds: 5000)
    while true {
      do throws(PostgresError) {
        return try session {
          waits.succeeded(); report($0)
        }
      } catch {
        guard error.isRetriable else { throw Self.explained(error, definition.slot) }
        logger.warning("the backfill goes on in a moment", metadata: ["error": "\(error)"])
        if interrupt.wait(milliseconds: waits.next()) {
          throw .postgres(.interrupted(purpose: "backfill"))
        }
      }
    }
  }

  /// Forgets where a backfill stood, so that it begins anew.
  public static func restart(slot: String, on connection: Connection) throws(PostgresError) {
    guard try BackfillProgress.load(slot: slot, on: connection) != nil else { return }
    try connection.query(
      "DELETE FROM crossfade.backfill WHERE slot = $1", [.text(slot)],
      purpose: "forget the backfill's progress")
  }

  private static let notCapturing = "capture has not begun"
  private static let held = "held elsewhere"

  private static func explained(_ error: PostgresError, _ slot: String) -> MigrationError {
    guard case .unexpected(purpose: "backfill", let what) = error else { return .postgres(error) }
    switch what {
    case notCapturing:
      return .notReady(
        what:
          "slot \(slot) has no checkpoint: capture has not begun, and what changes during a backfill would be lost",
        hint: "start `crossfade run` first and leave it running")
    case held: return .heldElsewhere(step: "the backfill of slot \(slot)", pid: nil)
    default: return .postgres(error)
    }
  }

  private func session(report: (BackfillProgress) -> Void) throws(PostgresError) -> BackfillProgress {
    let write = definition.write
    let connection = try Connection(
      definition.source.revealed,
      options: .init(
        applicationName: "crossfade backfill \(definition.slot)",
        settings: [
          ("lock_timeout", "\(write.lockTimeout.count)"),
          ("statement_timeout", "\(write.statementTimeout.count)"),
          ("synchronous_commit", write.synchronousCommit.rawValue), ("search_path", "pg_catalog"),
        ] + DerivationSQL.planSettings), interrupt: interrupt)
    guard
      try connection.query(
        "SELECT pg_catalog.pg_try_advisory_lock(hashtext('crossfade backfill'), hashtext($1))",
        [.text(definition.slot)], purpose: "take the backfill's lock"
      ).boolean(0, 0)
    else { throw .unexpected(purpose: "backfill", what: Self.held) }
    guard try Checkpoint.load(slot: definition.slot, on: connection) != nil else {
      throw .unexpected(purpose: "backfill", what: Self.notCapturing)
    }
    try BackfillProgress.ensure(on: connection)
    var run = try BackfillRun(definition: definition, connection: connection)
    while try run.step() {
      report(run.progress)
      let pause = definition.backfill.pause.count
      if interrupt.isStopped || (pause > 0 && interrupt.wait(milliseconds: pause)) {
        throw .interrupted(purpose: "backfill")
      }
    }
    return run.progress
  }
}
