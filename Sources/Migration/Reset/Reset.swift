import ChangeLog
public import Derivation
import DualWrite
import PGOutput
public import Postgres
import Replay

/// Declares a gap: sets the log aside and forgets checkpoint and backfill, so that capture may begin anew.
///
/// Nothing is deleted that cannot be had again: the log is renamed, the rows stay as they are. Interrupted anywhere, it
/// can be run again.
public struct Reset {
  let definition: SlotDefinition
  let dropsSlot: Bool
  let connection: Connection

  /// A reset over a session with the source.
  public init(definition: SlotDefinition, dropsSlot: Bool, connection: Connection) {
    self.definition = definition
    self.dropsSlot = dropsSlot
    self.connection = connection
  }

  /// What it would do. Refuses while anything of the slot is at work, and where it would not help.
  public func plan() throws(ResetError) -> ResetPlan {
    let slot = definition.slot
    var plan = ResetPlan(
      slot: slot, directory: definition.log.directory, hasBackfill: false, dropsSlot: dropsSlot)
    do throws(PostgresError) {
      plan.checkpoint = try Checkpoint.load(slot: slot, on: connection)?.endLSN
      plan.hasBackfill = try BackfillProgress.load(slot: slot, on: connection) != nil
      plan.replay = try RepairRecord.load(slot: slot, on: connection)
        .flatMap { $0.finished ? nil : $0.position.endLSN }
      let direction = try Direction.load(slot: slot, on: connection)
      // What is asked and not taken up counts as the backfill has it.
      plan.direction = direction.standing == .forward ? direction.asked : direction.standing
      plan.server = try ReplicationSlot.find(slot, on: connection).map {
        ResetPlan.Slot(
          confirmed: $0.confirmedFlushLSN,
          lost: $0.isLost ? $0.invalidationReason ?? "its WAL was removed" : nil,
          activePID: $0.activePID, isTwoPhase: $0.twoPhase)
      }
    } catch {
      throw .postgres(error)
    }
    if let pid = plan.server?.activePID { throw .slotActive(slot: slot, pid: pid) }
    if let reason = plan.server?.lost, !dropsSlot { throw .slotLost(slot: slot, reason: reason) }
    if plan.server?.isTwoPhase == true, connection.serverVersion.major >= 15, !dropsSlot {
      throw .slotTwoPhase(slot: slot)
    }
    if let custody = try custody() {
      do {
        plan.log = try ChangeLogWriter.inspect(directory: custody.directory).map {
          ResetPlan.Log(end: $0.end)
        }
      } catch {
        plan.log = ResetPlan.Log(end: nil)
      }
    }
    return plan
  }

  /// Does what the plan says. Gives the log's new directory.
  public func run(_ plan: ResetPlan) throws(ResetError) -> String? {
    let custody = try custody()
    var renamed: String?
    var holder: ResetError?
    var failure: ChangeLogError?
    do throws(PostgresError) {
      try connection.transaction(purpose: "reset slot \(plan.slot)") { () throws(PostgresError) in
        holder = try forget(plan)
        guard holder == nil else { return }
        guard plan.log != nil, let custody else { return }
        do throws(ChangeLogError) { renamed = try custody.setAside(suffix: plan.suffix) } catch {
          failure = error
          throw .unexpected(purpose: "reset", what: "the log")
        }
      }
      if plan.dropsSlot, plan.server != nil, holder == nil {
        try connection.query(
          "SELECT pg_drop_replication_slot($1)", [.text(plan.slot)],
          purpose: "drop replication slot \(plan.slot)")
      }
    } catch {
      if let failure { throw .log(failure) }
      throw .postgres(error)
    }
    if let holder { throw holder }
    return renamed
  }

  /// Deletes checkpoint and progress. Gives who is at work on this slot, and then deletes nothing.
  private func forget(_ plan: ResetPlan) throws(PostgresError) -> ResetError? {
    // The applier's own lock: with it held, no dual-write of this slot is at work.
    let free = try connection.query(
      "SELECT pg_try_advisory_xact_lock(hashtext('crossfade'), hashtext($1))", [.text(plan.slot)],
      purpose: "take the lock of slot \(plan.slot)")
    guard free.boolean(0, 0) else { return .applied(slot: plan.slot) }
    // It would go on behind the gap, in another log, as if there were none.
    if plan.replay != nil, try !RepairRecord.forgetUnfinished(slot: plan.slot, on: connection) {
      return .replayed(slot: plan.slot)
    }
    if plan.checkpoint != nil {
      try connection.query(
        "DELETE FROM crossfade.checkpoint WHERE slot = $1", [.text(plan.slot)],
        purpose: "forget the checkpoint")
    }
    if plan.hasBackfill { try Backfill.restart(slot: plan.slot, on: connection) }
    return nil
  }

  /// The log's lock; nil when there is no log.
  private func custody() throws(ResetError) -> LogCustody? {
    do { return try LogCustody(directory: definition.log.directory) } catch {
      if case .noLog = error { return nil }
      throw .log(error)
    }
  }
}
