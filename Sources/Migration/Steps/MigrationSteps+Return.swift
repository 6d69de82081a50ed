import Derivation
import DualWrite
import Postgres

/// The old column comes back. Until the dual-write derives both ways again, triggers do, inside the writers' own transactions:
/// so that at no moment an update of either column is lost, and none of an old writer's is overwritten.
extension MigrationSteps {
  /// The old column follows the new one from here on; then what lags can be filled, and stays filled.
  func keep(_ column: Identifier) -> Step {
    step(
      "return.keeper", .contracted, "keep \(column) in step with \(derive.to) by a trigger, until it is back",
      [keeperFunction(column), "REVOKE ALL ON FUNCTION \(keeperName)() FROM PUBLIC"] + [
        "CREATE TRIGGER \(keeperTrigger) BEFORE INSERT OR UPDATE ON \(table) FOR EACH ROW "
          + "WHEN (\(OwnWrites.isForeign)) EXECUTE FUNCTION \(keeperName)()",
        // What a subscription brings counts too.
        "ALTER TABLE \(table) ENABLE ALWAYS TRIGGER \(keeperTrigger)",
      ],
      locks: [.init(.shareRowExclusive, on: table)], hazards: [.shareRowExclusiveLock],
      probe: CatalogProbe.triggers([keeperTriggerName], of: derive.table), wayBack: dropKeeper,
      wayBackLocks: strongest)
  }

  /// What was written since the dual-write came to rest.
  func fill(_ column: Identifier) -> Step {
    Step(
      id: "return.fill", phase: .contracted,
      title: "fill \(column) from \(derive.to) where it lags, a page at a time",
      manner: .work(command: "crossfade rollback"), locks: [.init(.rowExclusive, on: table)],
      lockTimeout: nil,
      hold: "a page at a time", hazards: [.performance])
  }

  /// NOT NULL as it was, without a scan under the strongest lock.
  func requireAgain(_ column: Identifier) -> [Step] {
    [
      step(
        "return.check", .contracted, "require \(column) again of new rows",
        [
          "ALTER TABLE \(table) ADD CONSTRAINT \(returnCheck) CHECK (\(column.quoted) IS NOT NULL) NOT VALID"
        ], locks: strongest, hazards: [.accessExclusiveLock],
        probe: CatalogProbe.check(returnCheckName, of: derive.table, validated: false)),
      validate(
        "return.check-validate", .contracted, "validate that every row has \(column)", returnCheck,
        probe: CatalogProbe.check(returnCheckName, of: derive.table, validated: true)),
    ]
  }

  /// From the keeper to the bridge, which keeps both columns in step in both ways, and the old column has its name again.
  ///
  /// - Parameters:
  ///   - column: the name that the old column has now.
  ///   - isRequired: whether it becomes NOT NULL again; its check is validated.
  func exchange(_ column: Identifier, isRequired: Bool) -> Step {
    var statements = dropKeeper + dropGuard
    if column != derive.from {
      statements.append(
        "ALTER TABLE \(table) RENAME COLUMN \(column.quoted) TO \(derive.from.quoted)")
    }
    if isRequired {
      statements += [requireStatus, "ALTER TABLE \(table) DROP CONSTRAINT \(returnCheck)"]
    }
    return step(
      "return.exchange", .contracted,
      column == derive.from
        ? "let the bridge keep both columns in step"
        : "rename \(column) to \(derive.from), and let the bridge keep both in step",
      statements + makeBridge.statements, locks: strongest, hazards: [.accessExclusiveLock],
      probe: "SELECT (\(CatalogProbe.column(derive.from, of: derive.table))) AND "
        + "(\(CatalogProbe.triggers(triggerNames, of: derive.table)))",
      wayBack: dropTriggers, wayBackLocks: strongest)
  }

  /// Both ways, as it was before the dual-write came to rest.
  var deriveAgain: Step {
    Step(
      id: Self.restID, phase: .contracted, title: "derive both ways again",
      manner: .work(command: "crossfade rollback"), lockTimeout: nil)
  }

  private var returnCheckName: String { ObjectName.make(derive.table.name, derive.from, "returns") }
  private var returnCheck: String { SQLText.identifier(returnCheckName) }

  private var dropKeeper: [String] { dropOwn(triggers: [keeperTriggerName], function: keeperName) }

  var keeperTriggerName: String { Self.triggerName("keep", of: definition.slot) }

  private var keeperTrigger: String { SQLText.identifier(keeperTriggerName) }

  private var keeperName: String { ownFunction("keep") }

  /// It never makes a writer fail, like the bridge.
  private func keeperFunction(_ column: Identifier) -> String {
    let map = derive.map
    let row = "FROM \(map.table.quoted) AS m WHERE m.\(map.id.quoted) = NEW.\(derive.to.quoted)"
    return """
      CREATE OR REPLACE FUNCTION \(keeperName)() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
      SET search_path = pg_catalog, pg_temp AS $keep$
      BEGIN
        IF EXISTS (SELECT \(row)) THEN NEW.\(column.quoted) := (SELECT m.\(map.status.quoted) \(row)); END IF;
        RETURN NEW;
      EXCEPTION WHEN OTHERS THEN
        RETURN NEW;
      END
      $keep$
      """
  }
}
