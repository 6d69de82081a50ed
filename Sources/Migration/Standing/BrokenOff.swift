import Derivation
import Postgres

/// A step that a command has begun and nobody goes on with: it was killed, or gave up.
public struct BrokenOff: Sendable, Equatable {
  /// The step's id.
  public var step: String
  /// What it does.
  public var title: String
  /// Whether it is part of a contract's way back, which `contract` does not cross.
  var isReturn = false

  /// What to do, without a full stop.
  public var mend: String {
    if isReturn { return "run `crossfade rollback SLOT` again" }
    if step.hasPrefix("cutover.nullable:") {
      return
        "run `crossfade cutover SLOT --back --forward-only` again, which goes on or takes the check away, or go forth by "
        + "`crossfade cutover SLOT`; until then inserts that leave the old column out fail"
    }
    return switch String(step.prefix(while: { $0 != "." })) {
    case "cutover":
      "run `crossfade cutover SLOT` again, or go back by `crossfade cutover SLOT --back --forward-only`"
    case "contract": "run `crossfade contract SLOT` again, or go back by `crossfade rollback SLOT`"
    case "return": "run `crossfade rollback SLOT` again"
    case "expand": "run `crossfade expand SLOT` again, or go back by `crossfade rollback SLOT`"
    default: "run `crossfade constrain SLOT` again, or go back by `crossfade rollback SLOT`"
    }
  }

  /// The step; nil where there is none, a command is at work, or this role may not see it.
  static func find(
    _ definition: SlotDefinition, on connection: Connection
  ) throws(PostgresError) -> BrokenOff? {
    let slot = definition.slot
    guard try LockHolder.find("crossfade migration", slot, on: connection) == nil else { return nil }
    do throws(PostgresError) {
      let records = try StepRecord.load(slot: slot, on: connection)
      // Rows and their verification have accounts of their own.
      if let running = records.last(where: {
        $0.state == .running && $0.id != "backfill.rows" && $0.id != "verify.whole"
      }) {
        return BrokenOff(
          step: running.id, title: running.title,
          isReturn: running.id.hasPrefix("contract.") && records.contains(where: isBack))
      }
      // Between two steps nothing runs, and this one refuses statements until the next is done.
      guard let check = records.first(where: { $0.id == MigrationSteps.requireOldID }),
        try connection.query(
          CatalogProbe.check(
            MigrationSteps.oldCheckName(definition.derive), of: definition.derive.table, validated: false),
          purpose: "look for the check of a way back"
        ).boolean(0, 0)
      else { return nil }
      return BrokenOff(step: check.id, title: check.title)
    } catch {
      guard error.sqlState == .insufficientPrivilege else { throw error }
      return nil
    }
  }

  /// As `contract` looks whether a way back of it was begun.
  static func isBack(_ record: StepRecord) -> Bool {
    record.id.hasPrefix("return.") && [.done, .running, .failed].contains(record.state)
  }
}
