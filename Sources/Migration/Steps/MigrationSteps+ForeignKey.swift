import Derivation
import Postgres

/// The foreign key to the map: first for new rows, then for all, in two transactions, so that the strong lock of the first
/// is not held while the second reads the table.
extension MigrationSteps {
  var foreignKey: [Step] {
    guard facts.isPartitioned else { return add(derive.table, "") + [validate(derive.table, "")] }
    // Up to 17 a partitioned table takes no foreign key that is NOT VALID, so each partition gets its own; the one on the parent
    // then finds them valid, adopts them, and reads nothing (`tablecmds.c tryAttachPartitionForeignKey`).
    return facts.leaves.flatMap { add($0.name, ":\($0.name)") + [validate($0.name, ":\($0.name)")] }
      + [parentKey]
  }

  private var map: SlotDefinition.Map { derive.map }

  private func name(_ table: QualifiedName) -> String {
    SQLText.identifier(ObjectName.make(table.name, derive.to, "fkey"))
  }

  private func clause(_ table: QualifiedName) -> String {
    "ADD CONSTRAINT \(name(table)) FOREIGN KEY (\(derive.to.quoted)) REFERENCES \(map.table.quoted) (\(map.id.quoted))"
  }

  /// The map first: nobody writes to it, and while its lock is waited for the ledger's is not yet held.
  private func keyLocks(_ table: QualifiedName) -> [Step.Lock] {
    [.init(.shareRowExclusive, on: map.table.quoted), .init(.shareRowExclusive, on: table.quoted)]
  }

  private func dropLocks(_ table: QualifiedName) -> [Step.Lock] {
    [.init(.accessExclusive, on: map.table.quoted), .init(.accessExclusive, on: table.quoted)]
  }

  private func add(_ table: QualifiedName, _ suffix: String) -> [Step] {
    [
      step(
        "backfill.foreign-key\(suffix)", .backfilled,
        "add foreign key \(table)(\(derive.to)) to \(map.table), for new rows",
        ["ALTER TABLE \(table.quoted) \(clause(table)) NOT VALID"], locks: keyLocks(table),
        hazards: [.shareRowExclusiveLock, .hotReference],
        probe: CatalogProbe.foreignKey(from: derive.to, of: table, to: map.table, validated: false),
        wayBack: suffix.isEmpty ? ["ALTER TABLE \(table.quoted) DROP CONSTRAINT \(name(table))"] : [],
        wayBackLocks: suffix.isEmpty ? dropLocks(table) : [],
        wayBackNote: suffix.isEmpty ? nil : "goes with column \(derive.to)")
    ]
  }

  private func validate(_ table: QualifiedName, _ suffix: String) -> Step {
    Step(
      id: "backfill.validate\(suffix)", phase: .backfilled,
      title: "validate the foreign key of \(table), for the rows that were there",
      statements: ["ALTER TABLE \(table.quoted) VALIDATE CONSTRAINT \(name(table))"],
      locks: [.init(.shareUpdateExclusive, on: table.quoted), .init(.rowShare, on: map.table.quoted)],
      lockTimeout: nil, statementTimeout: 0, hold: "while it reads the table", hazards: [.performance],
      probe: CatalogProbe.foreignKey(from: derive.to, of: table, to: map.table, validated: true),
      wayBackNote: "nothing to undo")
  }

  private var parentKey: Step {
    step(
      "backfill.foreign-key", .backfilled,
      "add foreign key \(derive.table)(\(derive.to)) to \(map.table), adopting those of the partitions",
      ["ALTER TABLE \(table) \(clause(derive.table))"], locks: keyLocks(derive.table),
      hazards: [.shareRowExclusiveLock, .hotReference],
      probe: CatalogProbe.foreignKey(from: derive.to, of: derive.table, to: map.table, validated: true),
      wayBack: ["ALTER TABLE \(table) DROP CONSTRAINT \(name(derive.table))"],
      wayBackLocks: dropLocks(derive.table))
  }
}
