import Derivation
import Postgres

/// The turn. What makes the old column derivable comes first; the direction turns before new writers may leave the old
/// column out; what readers are told comes last.
extension MigrationSteps {
  /// In order; undone in reverse.
  var cutover: [Step] {
    guard definition.migrate.bridge == .none else { return [direction, reads] }
    return (facts.version.major >= 15 ? [publishAll] : []) + [identity, direction, nullable, reads]
  }

  /// The same, where a way back may have been broken off: the check that it made would refuse writers that leave the old
  /// column out.
  func cutover(after records: [StepRecord]) -> [Step] {
    guard records.contains(where: { $0.id == requireAgainID }) else { return cutover }
    return cutover.map { step in
      guard step.id == "cutover.nullable", let probe = step.probe else { return step }
      var anew = step
      anew.statements.append("ALTER TABLE \(table) DROP CONSTRAINT IF EXISTS \(oldCheck)")
      anew.probe =
        "SELECT (\(probe)) AND (\(CatalogProbe.not(CatalogProbe.check(oldCheckName, of: derive.table, validated: false))))"
      return anew
    }
  }

  /// Every step that a definition may have led to until now, whatever it says of the bridge.
  var cutoverEver: [Step] {
    var early = self
    early.definition.migrate.bridge = .none
    return early.cutover
  }

  /// The direction's way back: the old column alone counts again.
  var directionBack: Step {
    var step = direction
    step.title = "undo: \(step.title)"
    step.probe =
      "SELECT NOT EXISTS (SELECT FROM crossfade.direction WHERE slot = \(SQLText.literal(definition.slot)) "
      + "AND (standing <> 'forward' OR asked <> 'forward'))"
    return step
  }

  /// Before 15 no publication lists columns.
  ///
  /// With REPLICA IDENTITY FULL every update of a table fails in the application while a publication lists only some of its
  /// columns (`execReplication.c CheckCmdReplicaIdentity`), so the list goes first. DROP and ADD in one transaction: SET
  /// TABLE would take other tables out.
  private var publishAll: Step {
    let publication = definition.publication
    func member(_ columns: [String]?) -> [String] {
      let list = columns.map { " (" + $0.map(SQLText.identifier).joined(separator: ", ") + ")" } ?? ""
      return [
        "ALTER PUBLICATION \(publication.quoted) DROP TABLE \(table)",
        "ALTER PUBLICATION \(publication.quoted) ADD TABLE \(table)\(list)",
      ]
    }
    return step(
      "cutover.publication", .cutOver,
      "publish all columns of \(derive.table): the change log holds whole rows then",
      member(nil), locks: [.init(.shareUpdateExclusive, on: table)],
      probe: CatalogProbe.not(CatalogProbe.columnList(of: publication, on: derive.table)),
      wayBack: facts.publishedColumns.map { member($0) } ?? [])
  }

  /// So that the stream says which of the two columns a writer changed.
  private var identity: Step {
    let tables = [derive.table] + facts.partitions.map(\.name)
    let back = tables.compactMap { table -> String? in
      let identity = facts.identities[table.quoted] ?? "DEFAULT"
      return identity == "FULL" ? nil : "ALTER TABLE \(table.quoted) REPLICA IDENTITY \(identity)"
    }
    return step(
      "cutover.identity", .cutOver,
      "have the old row in the stream, so that it tells which column a writer changed",
      tables.map { "ALTER TABLE \($0.quoted) REPLICA IDENTITY FULL" },
      locks: tables.map { .init(.accessExclusive, on: $0.quoted) },
      hazards: [.accessExclusiveLock, .performance],
      probe: CatalogProbe.fullIdentity(of: derive.table), wayBack: Array(back.reversed()),
      wayBackNote: "undone by `crossfade cutover --back --forward-only`")
  }

  /// Both columns are derived from each other: what a writer changes alone is carried over to the other.
  private var direction: Step {
    var step = work(
      "cutover.direction", .cutOver,
      "keep \(derive.from) in step from \(derive.to) too, for those who still read it", "cutover",
      locks: [], wayBack: [])
    step.hazards = [.correctness]
    step.probe =
      "SELECT EXISTS (SELECT FROM crossfade.direction WHERE slot = \(SQLText.literal(definition.slot)) "
      + "AND standing <> 'forward' AND asked <> 'forward')"
    step.wayBackNote =
      "`crossfade cutover --back --forward-only`, once nobody writes \(derive.to) alone any more"
    return step
  }

  /// So that a writer may give the new column alone. The way back is in three (`restoreNotNull`): by itself it would read
  /// the table under the strongest lock.
  private var nullable: Step {
    step(
      "cutover.nullable", .cutOver, "let \(derive.from) be left out by writers that give \(derive.to)",
      ["ALTER TABLE \(table) ALTER COLUMN \(derive.from.quoted) DROP NOT NULL"],
      locks: [.init(.accessExclusive, on: table)], hazards: [.accessExclusiveLock, .correctness],
      probe: CatalogProbe.not(CatalogProbe.required(derive.from, of: derive.table)),
      wayBack: [
        "ALTER TABLE \(table) ALTER COLUMN \(derive.from.quoted) SET NOT NULL",
        "ALTER TABLE \(table) DROP CONSTRAINT IF EXISTS \(oldCheck)",
      ], wayBackNote: "undone by `crossfade cutover --back --forward-only`")
  }

  private var oldCheckName: String { ObjectName.make(derive.table.name, derive.from, "not_null") }
  private var oldCheck: String { SQLText.identifier(oldCheckName) }
  private var requireAgainID: String { Self.requireAgainID }
  private static let requireAgainID = "cutover.nullable:check"

  /// The CHECK that a way back has left, and the cutover takes away.
  ///
  /// - Parameter records: nil where they are not known: then what has its name counts as it.
  static func goneCheck(_ definition: SlotDefinition, after records: [StepRecord]?) -> String? {
    guard definition.migrate.bridge == .none, records?.contains(where: { $0.id == requireAgainID }) ?? true
    else {
      return nil
    }
    return ObjectName.make(definition.derive.table.name, definition.derive.from, "not_null")
  }

  /// What comes before the way back of `cutover.nullable`: a check that is validated beside the traffic, by which SET NOT
  /// NULL knows that it need not read the table. As steps back; each is looked for first.
  var restoreNotNull: [Step] {
    let (name, required) = (oldCheckName, CatalogProbe.required(derive.from, of: derive.table))
    return [
      step(
        requireAgainID, .cutOver, "require \(derive.from) of new rows again",
        [
          "ALTER TABLE \(table) ADD CONSTRAINT \(oldCheck) CHECK (\(derive.from.quoted) IS NOT NULL) NOT VALID"
        ],
        locks: [.init(.accessExclusive, on: table)], hazards: [.accessExclusiveLock],
        probe: CatalogProbe.check(name, of: derive.table, validated: false) + " OR (\(required))"),
      validate(
        "cutover.nullable:validate", .cutOver, "validate that every row has \(derive.from)", oldCheck,
        probe: CatalogProbe.check(name, of: derive.table, validated: true) + " OR (\(required))"),
    ]
  }

  /// What applications are told.
  private var reads: Step {
    var step = work(
      "cutover.reads", .cutOver, "tell applications to read \(derive.to)", "cutover", locks: [], wayBack: [])
    step.hazards = [.correctness]
    step.probe =
      "SELECT EXISTS (SELECT FROM crossfade.reads WHERE slot = \(SQLText.literal(definition.slot)) AND percent = 100)"
    step.wayBackNote = "`crossfade cutover --back` tells them to read \(derive.from) again, at once"
    return step
  }
}
