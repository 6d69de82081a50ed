import Derivation
import Postgres

/// NOT NULL for the old column again, on the way back of a cutover.
///
/// - By a check that is validated beside the traffic, by which SET NOT NULL (the way back of `cutover.nullable`) knows that it
///   need not read the table under the strongest lock.
/// - Before the direction turns: who still leaves the old column out meets an error from the check on. After the turn what he
///   writes would be overwritten without a word.
/// - Only while no row lacks the old column (`RowsWithoutText`): the check refuses each update of such a row, whoever makes it.
/// - Where the validation fails all the same, the check is taken away by the same command.
extension MigrationSteps {
  /// As steps of their own, which are done; each is looked for first.
  var requireOld: [Step] {
    let (name, required) = (
      Self.oldCheckName(derive), CatalogProbe.required(derive.from, of: derive.table)
    )
    return [
      step(
        Self.requireOldID, .cutOver, "require \(derive.from) of new rows again",
        [
          "ALTER TABLE \(table) ADD CONSTRAINT \(oldCheck) CHECK (\(derive.from.quoted) IS NOT NULL) NOT VALID"
        ],
        locks: strongest, hazards: [.accessExclusiveLock],
        probe: CatalogProbe.check(name, of: derive.table, validated: false) + " OR (\(required))"),
      validate(
        "cutover.nullable:validate", .cutOver, "validate that every row has \(derive.from)", oldCheck,
        probe: CatalogProbe.check(name, of: derive.table, validated: true) + " OR (\(required))"),
    ]
  }

  /// The check's end, as a step back.
  var requireOldNoMore: Step {
    step(
      Self.requireOldID, .cutOver, "undo: require \(derive.from) of new rows again", [dropOldCheck],
      locks: strongest, hazards: [.accessExclusiveLock],
      probe: CatalogProbe.not(
        CatalogProbe.check(Self.oldCheckName(derive), of: derive.table, validated: false)))
  }

  /// Also where it is not there.
  var dropOldCheck: String { "ALTER TABLE \(table) DROP CONSTRAINT IF EXISTS \(oldCheck)" }

  static let requireOldID = "cutover.nullable:check"

  static func oldCheckName(_ derive: SlotDefinition.Derive) -> String {
    ObjectName.make(derive.table.name, derive.from, "not_null")
  }

  /// The CHECK that a way back has left, and the cutover takes away.
  ///
  /// - Parameter records: nil where they are not known: then what has its name counts as it.
  static func goneCheck(_ definition: SlotDefinition, after records: [StepRecord]?) -> String? {
    guard definition.migrate.bridge == .none, records?.contains(where: { $0.id == requireOldID }) ?? true
    else { return nil }
    return oldCheckName(definition.derive)
  }

  private var oldCheck: String { SQLText.identifier(Self.oldCheckName(derive)) }
}
