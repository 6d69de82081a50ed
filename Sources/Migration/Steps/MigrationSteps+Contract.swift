import Derivation
import Postgres

/// The new column is required. NOT NULL comes through a check that is validated beside the traffic, so that the scan under
/// the strongest lock, which SET NOT NULL would make by itself, is spared (`tablecmds.c NotNullImpliedByRelConstraints`).
///
/// It comes before the rename: whoever still inserts the old way meets an error that names the new column, while readers
/// of the old one go on.
extension MigrationSteps {
  /// What must hold before each is not theirs to say: `contract` looks at it.
  var contract: [Step] { required + retirement + [drop] }

  /// NOT NULL for the new column.
  var required: [Step] { [check, validateCheck, notNull, dropCheck] }

  private var checkName: String { ObjectName.make(derive.table.name, derive.to, "not_null") }
  private var quotedCheck: String { SQLText.identifier(checkName) }
  /// Whether the check stands, by which NOT NULL comes.
  var checkProbe: String { CatalogProbe.check(checkName, of: derive.table, validated: false) }
  var strongest: [Step.Lock] { [.init(.accessExclusive, on: table)] }

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
    validate(
      "contract.check-validate", .contracted, "validate that every row has \(derive.to)", quotedCheck,
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
}
