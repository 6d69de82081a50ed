import Derivation
import DualWrite
import PGOutput
import Postgres

/// What has to be known before the old column may go. A value: `Readiness` judges it.
struct ReadinessFacts: Sendable {
  var definition: SlotDefinition
  /// The phase and since when; nil when nothing was recorded.
  var state: MigrationState?
  /// Since when that phase, in seconds since 1970.
  var phaseSince: Double?
  var direction: Direction
  /// Since when the dual-write keeps both columns in step, in seconds since 1970.
  var directionSince: Double?
  var column: OldColumn
  /// When it was renamed, in seconds since 1970.
  var retiredAt: Double?
  /// Who runs the dual-write; nil when nobody does.
  var runner: String?
  var seen: SeenThrough
  var account: LegacyAccount
  /// Whether the triggers of the bridge stand.
  var isBridged: Bool
  var serverMajor: Int
  /// What uses the old column, under the name it has; nil where it is gone.
  var dependents: Dependents?
  var verified: VerifiedStanding?
  var quarantined: Int64

  var derive: SlotDefinition.Derive { definition.derive }

  /// The last verification counts when it looked at what was written after the cutover.
  var verdict: VerifiedStanding.Verdict? {
    // Once the dual-write rests it was judged already, and the old column lags.
    verified?.verdict(at: direction.standing == .both ? direction.sinceLSN ?? .invalid : .invalid)
  }

  /// Since when quiet may be counted: the later of the two, as a slot that was cut back and over again stays `both`. Once the
  /// dual-write rests its own time is that of the rest.
  var cutoverSince: Double? {
    guard direction.standing != .forward, let state, state.phase >= .cutOver else { return nil }
    let phase = state.phase == .cutOver ? phaseSince ?? 0 : 0
    return direction.standing == .both || phase == 0 ? max(directionSince ?? 0, phase) : phase
  }

  func clock(_ isCounted: (LegacyAccount.Line) -> Bool) -> QuietClock {
    QuietClock(
      asked: Double(definition.migrate.quiet.count) / 1_000, cutover: cutoverSince,
      last: account.last(where: isCounted)?.lastAt, seen: seen.time)
  }

  /// The clock that `quiet` is about.
  var clock: QuietClock { clock { $0.isLegacy(bridged: isBridged) } }
}
