import Derivation
import DualWrite
import Postgres

/// The end of capture, on the way back: slot, log, checkpoint, quarantine, publication. As `reset` does it, which renames the log
/// rather than delete it.
struct CaptureRollback {
  let definition: SlotDefinition
  let connection: Connection

  /// What there is to end, in sentences. Refuses while anybody is at work on it.
  func look() throws(MigrationError) -> [String] {
    do throws(PostgresError) {
      for (kind, what) in [("crossfade", "crossfade run"), ("crossfade backfill", "crossfade backfill")] {
        guard let holder = try LockHolder.find(kind, definition.slot, on: connection) else { continue }
        throw PostgresError.unexpected(purpose: Self.busy, what: "`\(what)` is at work: \(holder)")
      }
    } catch {
      if case .unexpected(purpose: Self.busy, let what) = error {
        throw .notReady(what: what, hint: "stop it first, wherever it runs; then run this again")
      }
      throw .postgres(error)
    }
    return try planned().steps
  }

  /// Ends it. Done again, it finds nothing to do.
  func run() throws(MigrationError) {
    let plan = try planned()
    guard !plan.isEmpty else { return }
    do throws(ResetError) {
      _ = try Reset(definition: definition, dropsSlot: true, connection: connection).run(plan)
    } catch {
      throw Self.explained(error)
    }
    do throws(PostgresError) {
      guard try StepAccount(slot: definition.slot, connection: connection).isThere() else { return }
      try MigrationState.begin(slot: definition.slot, on: connection)
      try AuditTrail(slot: definition.slot, connection: connection).append(
        AuditEvent(.undone, step: "capture.slot", statements: plan.steps))
    } catch {
      throw .postgres(error)
    }
  }

  /// The step that drops the publication; nil where there is none.
  func publication() throws(PostgresError) -> Step? {
    let name = definition.publication
    let probe =
      "SELECT NOT EXISTS (SELECT FROM pg_catalog.pg_publication WHERE pubname = \(SQLText.literal(name.name)))"
    guard try !connection.query(probe, purpose: "look up publication \(name)").boolean(0, 0) else {
      return nil
    }
    return Step(
      id: "capture.publication", phase: .capturing,
      title: "undo: publish \(definition.derive.table) as \(name)",
      statements: [
        "DROP PUBLICATION \(name.quoted)",
        "DELETE FROM crossfade.quarantine WHERE slot = \(SQLText.literal(definition.slot))",
      ], probe: probe)
  }

  private static let busy = "at work"

  private func planned() throws(MigrationError) -> ResetPlan {
    do throws(ResetError) {
      return try Reset(definition: definition, dropsSlot: true, connection: connection).plan()
    } catch {
      throw Self.explained(error)
    }
  }

  private static func explained(_ error: ResetError) -> MigrationError {
    if case .postgres(let cause) = error { return .postgres(cause) }
    return .notReady(what: error.description, hint: error.hint ?? "mend that first; nothing was undone")
  }
}
