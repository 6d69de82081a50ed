import Derivation
import Postgres

/// The end of the old column. NOT NULL comes through a check that is validated beside the traffic, so that the scan under
/// the strongest lock, which SET NOT NULL would make by itself, is spared (`tablecmds.c NotNullImpliedByRelConstraints`).
extension MigrationSteps {
  /// What must hold before each is not theirs to say: `contract` looks at it.
  var contract: [Step] {
    [check, validateCheck, notNull, dropCheck]
      + (definition.migrate.bridge == .trigger ? [dropBridge] : []) + [rename, drop]
  }

  private var checkName: String { ObjectName.make(derive.table.name, derive.to, "not_null") }
  private var quotedCheck: String { SQLText.identifier(checkName) }
  private var strongest: [Step.Lock] { [.init(.accessExclusive, on: table)] }

  /// The name that the old column has while it is kept.
  var retired: Identifier {
    (try? Identifier(ObjectName.make(derive.from, "retired"))) ?? derive.from
  }

  private var check: Step {
    step(
      "contract.check", .contracted, "require \(derive.to) of new rows",
      [
        "ALTER TABLE \(table) ADD CONSTRAINT \(quotedCheck) CHECK (\(derive.to.quoted) IS NOT NULL) NOT VALID"
      ],
      locks: strongest, hazards: [.accessExclusiveLock, .correctness],
      probe: CatalogProbe.check(checkName, of: derive.table, validated: false)
        + " OR (\(CatalogProbe.notNull(derive.to, of: derive.table)))",
      wayBack: ["ALTER TABLE \(table) DROP CONSTRAINT IF EXISTS \(quotedCheck)"])
  }

  private var validateCheck: Step {
    Step(
      id: "contract.check-validate", phase: .contracted, title: "validate that every row has \(derive.to)",
      statements: ["ALTER TABLE \(table) VALIDATE CONSTRAINT \(quotedCheck)"],
      locks: [.init(.shareUpdateExclusive, on: table)], lockTimeout: nil, statementTimeout: 0,
      hold: "while it reads the table", hazards: [.performance],
      probe: CatalogProbe.check(checkName, of: derive.table, validated: true)
        + " OR (\(CatalogProbe.notNull(derive.to, of: derive.table)))", wayBackNote: "nothing to undo")
  }

  private var notNull: Step {
    step(
      "contract.not-null", .contracted, "make \(derive.to) NOT NULL",
      ["ALTER TABLE \(table) ALTER COLUMN \(derive.to.quoted) SET NOT NULL"], locks: strongest,
      hazards: [.accessExclusiveLock, .correctness], probe: CatalogProbe.notNull(derive.to, of: derive.table),
      wayBack: ["ALTER TABLE \(table) ALTER COLUMN \(derive.to.quoted) DROP NOT NULL"])
  }

  private var dropCheck: Step {
    step(
      "contract.check-drop", .contracted, "drop the check, which NOT NULL makes superfluous",
      ["ALTER TABLE \(table) DROP CONSTRAINT IF EXISTS \(quotedCheck)"], locks: strongest,
      hazards: [.accessExclusiveLock],
      probe: CatalogProbe.not(CatalogProbe.check(checkName, of: derive.table, validated: false)))
  }

  private var rename: Step {
    step(
      "contract.rename", .contracted,
      "rename \(derive.from) to \(retired), so that what still uses it is found",
      ["ALTER TABLE \(table) RENAME COLUMN \(derive.from.quoted) TO \(retired.quoted)"], locks: strongest,
      hazards: [.accessExclusiveLock, .correctness, .untrackableDependencies],
      probe: CatalogProbe.not(CatalogProbe.column(derive.from, of: derive.table)),
      wayBack: ["ALTER TABLE \(table) RENAME COLUMN \(retired.quoted) TO \(derive.from.quoted)"])
  }

  private var drop: Step {
    step(
      "contract.drop", .contracted, "drop \(retired), after \(definition.migrate.grace)",
      ["ALTER TABLE \(table) DROP COLUMN \(retired.quoted)"], locks: strongest,
      hazards: [.accessExclusiveLock, .deletesData],
      probe: CatalogProbe.not(CatalogProbe.column(retired, of: derive.table)),
      wayBack: [
        "ALTER TABLE \(table) ADD COLUMN \(retired.quoted) \(facts.statusType)"
      ],
      wayBackNote:
        "the old texts are gone, as are default, indexes and constraints of the column; the texts that the map holds are "
        + "derived again from \(derive.to)")
  }
}
