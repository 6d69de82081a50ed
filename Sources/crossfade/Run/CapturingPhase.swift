import Derivation
import Logging
import Migration
import Postgres

/// Writes down that the migration captures, once the dual-write has committed a checkpoint: until then nothing proves that
/// changes arrive. Of an expanded migration only; whatever has come further is left alone.
struct CapturingPhase: Sendable {
  let definition: SlotDefinition
  let interrupt: Interrupt
  let logger: Logger

  /// Waits for that, then tries until it is written down, or cannot be for good: the work goes on all the same.
  func enter(when applies: () -> Bool) {
    while !applies() { if interrupt.wait(milliseconds: 200) { return } }
    var waits = Backoff(firstMilliseconds: 500, lastMilliseconds: 10_000)
    while !interrupt.isStopped {
      do throws(MigrationError) {
        try write()
        return
      } catch {
        guard case .postgres(let cause) = error, cause.isRetriable else {
          logger.notice(
            "the phase of the migration is left as it was: `run` may not write it, and works all the same",
            metadata: ["reason": "\(error)"])
          return
        }
      }
      interrupt.wait(milliseconds: waits.next())
    }
  }

  private func write() throws(MigrationError) {
    let connection: Connection
    do throws(PostgresError) {
      connection = try Connection(
        definition.source.revealed, options: .init(applicationName: "crossfade phase \(definition.slot)"),
        interrupt: interrupt)
    } catch {
      throw .postgres(error)
    }
    try MigrationState.enter(.capturing, slot: definition.slot, from: .expanded, on: connection)
  }
}
