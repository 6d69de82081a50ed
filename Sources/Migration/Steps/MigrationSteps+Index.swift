import Derivation
import Postgres

/// The index on the new column: built beside the traffic, on a partitioned table partition by partition.
extension MigrationSteps {
  /// - Parameter phase: `expanded` where the definition wants it before the backfill.
  func index(phase: Phase) -> [Step] {
    let prefix = phase == .expanded ? "expand" : "backfill"
    guard facts.isPartitioned else {
      return [
        build("\(prefix).index", phase, on: derive.table, CatalogProbe.index(on: derive.to, of: derive.table))
      ]
    }
    // An index of a partitioned table cannot be built concurrently. So: one on the parent alone, which stays invalid, one on each
    // partition, then those are attached; with the last the parent's becomes valid.
    let nodes = [derive.table] + facts.partitions.filter { !$0.isLeaf }.map(\.name)
    return nodes.map { onlyIndex("\(prefix).index-parent", phase, on: $0) }
      + facts.leaves.map { leaf in
        var step = build(
          "\(prefix).index:\(leaf.name)", phase, on: leaf.name,
          CatalogProbe.partitionIndex(indexName(leaf.name), on: derive.to, of: leaf))
        step.wayBack = []
        step.wayBackAlone = false
        step.wayBackLocks = []
        step.wayBackNote = "goes with the index of \(derive.table)"
        return step
      }
      // The deepest first: what is attached to the top must be whole.
      + facts.partitions.reversed().map { attach("\(prefix).attach:\($0.name)", phase, $0) }
  }

  private func indexName(_ table: QualifiedName) -> String { ObjectName.make(table.name, derive.to, "idx") }

  private func quotedIndex(_ table: QualifiedName) -> String {
    "\(table.schema.quoted).\(SQLText.identifier(indexName(table)))"
  }

  private func build(_ id: String, _ phase: Phase, on table: QualifiedName, _ probe: String) -> Step {
    Step(
      id: id, phase: phase, title: "build an index on \(table)(\(derive.to)), concurrently", manner: .alone,
      statements: [
        "CREATE INDEX CONCURRENTLY \(SQLText.identifier(indexName(table))) ON \(table.quoted) (\(derive.to.quoted))"
      ], locks: [.init(.shareUpdateExclusive, on: table.quoted)], lockTimeout: nil, statementTimeout: 0,
      hold: "while it reads the table twice, and waits for every older transaction of the database to end",
      hazards: [.indexBuild, .performance], probe: probe,
      leftovers: CatalogProbe.invalidIndexes(indexName(table), of: table),
      wayBack: ["DROP INDEX CONCURRENTLY \(quotedIndex(table))"], wayBackAlone: true,
      wayBackLocks: [.init(.shareUpdateExclusive, on: table.quoted)])
  }

  private func onlyIndex(_ id: String, _ phase: Phase, on table: QualifiedName) -> Step {
    step(
      table == derive.table ? id : "\(id):\(table)", phase,
      "make the parent index on \(table)(\(derive.to)), without its partitions",
      ["CREATE INDEX \(SQLText.identifier(indexName(table))) ON ONLY \(table.quoted) (\(derive.to.quoted))"],
      locks: [.init(.share, on: table.quoted)],
      probe: CatalogProbe.parentIndex(indexName(table), on: derive.to, of: table),
      wayBack: table == derive.table ? ["DROP INDEX \(quotedIndex(table))"] : [],
      wayBackLocks: table == derive.table ? [.init(.accessExclusive, on: table.quoted)] : [],
      wayBackNote: table == derive.table ? nil : "goes with the index of \(derive.table)")
  }

  private func attach(_ id: String, _ phase: Phase, _ partition: StepFacts.Partition) -> Step {
    step(
      id, phase, "attach the index of \(partition.name) to that of \(partition.parent)",
      ["ALTER INDEX \(quotedIndex(partition.parent)) ATTACH PARTITION \(quotedIndex(partition.name))"],
      locks: [
        .init(.accessShare, on: partition.parent.quoted),
        .init(.accessExclusive, on: quotedIndex(partition.name)),
      ],
      hazards: [.accessExclusiveLock], probe: CatalogProbe.attached(derive.to, partition),
      wayBackNote: "goes with the index of \(derive.table)")
  }
}
