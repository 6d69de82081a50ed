import Postgres

/// A step that a command has begun and nobody goes on with: it was killed, or gave up.
public struct BrokenOff: Sendable, Equatable {
  /// The step's id.
  public var step: String
  /// What it does.
  public var title: String

  /// What to do, without a full stop.
  public var mend: String {
    switch String(step.prefix(while: { $0 != "." })) {
    case "cutover":
      "run `crossfade cutover SLOT` again, or go back by `crossfade cutover SLOT --back --forward-only`"
    case "contract": "run `crossfade contract SLOT` again, or go back by `crossfade rollback SLOT`"
    case "return": "run `crossfade rollback SLOT` again"
    case "expand": "run `crossfade expand SLOT` again, or go back by `crossfade rollback SLOT`"
    default: "run `crossfade constrain SLOT` again, or go back by `crossfade rollback SLOT`"
    }
  }

  /// The step; nil where there is none, a command is at work, or this role may not see it.
  static func find(_ slot: String, on connection: Connection) throws(PostgresError) -> BrokenOff? {
    guard try LockHolder.find("crossfade migration", slot, on: connection) == nil else { return nil }
    do throws(PostgresError) {
      // Rows and their verification have accounts of their own.
      return try StepRecord.load(slot: slot, on: connection)
        .last { $0.state == .running && $0.id != "backfill.rows" && $0.id != "verify.whole" }
        .map { BrokenOff(step: $0.id, title: $0.title) }
    } catch {
      guard error.sqlState == .insufficientPrivilege else { throw error }
      return nil
    }
  }
}
