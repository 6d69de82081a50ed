import Derivation
import DualWrite
import Postgres

/// The end of the old column: renamed first, dropped after a grace time.
///
/// Between the dual-write's rest and the rename nobody derives anything. So that no update is lost there, the old column
/// cannot be written alone by then: a guard refuses it, or the bridge, which stands until the rename, derives it.
extension MigrationSteps {
  /// From the guard to the rename.
  var retirement: [Step] {
    (definition.migrate.bridge == .trigger ? [] : [makeGuard]) + [rest, rename]
  }

  /// The name that the old column has while it is kept.
  var retired: Identifier {
    (try? Identifier(ObjectName.make(derive.from, "retired"))) ?? derive.from
  }

  private var isRetired: String { CatalogProbe.not(CatalogProbe.column(derive.from, of: derive.table)) }

  /// Whoever writes the old column alone from here on meets the error that the rename brings a moment later.
  private var makeGuard: Step {
    let (old, new) = (derive.from.quoted, derive.to.quoted)
    let isLone =
      "OLD.\(old) IS DISTINCT FROM NEW.\(old) AND OLD.\(new) IS NOT DISTINCT FROM NEW.\(new)"
    return step(
      "contract.guard", .contracted, "refuse updates that write \(derive.from) alone",
      [
        guardFunction, "REVOKE ALL ON FUNCTION \(guardName)() FROM PUBLIC",
        "CREATE TRIGGER \(guardTrigger) BEFORE UPDATE ON \(table) FOR EACH ROW "
          + "WHEN (\(isLone) AND \(OwnWrites.isForeign)) EXECUTE FUNCTION \(guardName)()",
      ],
      locks: [.init(.shareRowExclusive, on: table)], hazards: [.shareRowExclusiveLock, .correctness],
      probe: "SELECT (\(CatalogProbe.triggers([guardTriggerName], of: derive.table))) OR (\(isRetired))",
      wayBack: dropGuard, wayBackLocks: strongest)
  }

  /// The guard's end, also where it is not there.
  var dropGuard: [String] { dropOwn(triggers: [guardTriggerName], function: guardName) }

  var guardTriggerName: String { Self.triggerName("guard", of: definition.slot) }

  private var guardTrigger: String { SQLText.identifier(guardTriggerName) }

  private var guardName: String { ownFunction("guard") }

  /// The error is that of a column that is not there: what applications make of that one they make of this.
  private var guardFunction: String {
    let message = "column \(derive.from) of \(derive.table) is being retired: write \(derive.to)"
    return """
      CREATE OR REPLACE FUNCTION \(guardName)() RETURNS trigger LANGUAGE plpgsql
      SET search_path = pg_catalog, pg_temp AS $guard$
      BEGIN
        RAISE EXCEPTION USING ERRCODE = 'undefined_column', MESSAGE = \(SQLText.literal(message));
      END
      $guard$
      """
  }

  private var rest: Step {
    Step(
      id: Self.restID, phase: .contracted, title: "stop deriving: \(derive.from) is kept in step no longer",
      manner: .work(command: "crossfade contract --rest"), lockTimeout: nil, hazards: [.correctness],
      probe:
        "SELECT EXISTS (SELECT FROM crossfade.direction WHERE slot = \(SQLText.literal(definition.slot)) "
        + "AND standing = 'rest')",
      wayBackNote: "`crossfade rollback` fills \(derive.from) where it lags, and derives both ways again")
  }

  static let restID = "contract.direction"

  /// One transaction with the end of what kept the columns in step. The old column is no longer required: who knows it no
  /// more gives it no value.
  private var rename: Step {
    let isBridged = definition.migrate.bridge == .trigger
    return step(
      "contract.rename", .contracted,
      "rename \(derive.from) to \(retired), so that what still uses it is found",
      (isBridged ? dropTriggers : dropGuard) + [
        "ALTER TABLE \(table) RENAME COLUMN \(derive.from.quoted) TO \(retired.quoted)",
        "ALTER TABLE \(table) ALTER COLUMN \(retired.quoted) DROP NOT NULL",
      ], locks: strongest, hazards: [.accessExclusiveLock, .correctness, .untrackableDependencies],
      probe: isRetired,
      wayBack: ["ALTER TABLE \(table) RENAME COLUMN \(retired.quoted) TO \(derive.from.quoted)"]
        + (facts.requiresStatus ? [requireStatus] : []) + (isBridged ? makeBridge.statements : []))
  }

  /// The old column's NOT NULL, where it had one.
  var requireStatus: String { "ALTER TABLE \(table) ALTER COLUMN \(derive.from.quoted) SET NOT NULL" }

  /// The end. What publishes the columns by name lets go of it first.
  var drop: Step {
    step(
      "contract.drop", .contracted, "drop \(retired), after \(definition.migrate.grace)",
      (facts.version.major >= 15 ? [unlist] : [])
        + ["ALTER TABLE \(table) DROP COLUMN \(retired.quoted)"],
      locks: strongest, hazards: [.accessExclusiveLock, .deletesData],
      probe: CatalogProbe.not(CatalogProbe.column(retired, of: derive.table)),
      wayBack: ["ALTER TABLE \(table) ADD COLUMN \(retired.quoted) \(facts.statusType)"]
        // By itself: with the column it would be in every row that stands.
        + (facts.statusDefault.map { [setDefault + $0] } ?? []),
      wayBackNote:
        "the old texts are gone, as are indexes and constraints of the column, and a default that is not a constant; the "
        + "texts that the map holds are derived again from \(derive.to)")
  }

  /// The old column's default as the drop's way back gives it again; nil where it had none, or none that is a constant.
  func restoredDefault(_ wayBack: [String]) -> String? {
    wayBack.first { $0.hasPrefix(setDefault) }.map { String($0.dropFirst(setDefault.count)) }
  }

  private var setDefault: String { "ALTER TABLE \(table) ALTER COLUMN \(retired.quoted) SET DEFAULT " }
}
