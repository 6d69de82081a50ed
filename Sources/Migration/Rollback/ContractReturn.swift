import Derivation
import DualWrite
import Postgres

/// The way back from a contract, begun or done: to `cut over`, with the old column in place and in step, both ways derived.
///
/// In this order, so that no update is lost: a trigger keeps the old column in step from here on; what lags is filled; it gets
/// its name back, and in the same transaction the bridge takes over, which serves old writers too; the dual-write derives both
/// ways again; a bridge that the definition does not ask for goes.
struct ContractReturn {
  let run: MigrationRun
  let steps: MigrationSteps
  let column: OldColumn
  let direction: Direction
  let records: [StepRecord]
  /// Whether the triggers of a bridge stand.
  let isBridged: Bool
  /// Whether the check stands by which the new column became NOT NULL.
  let hasCheck: Bool
  /// Ids of the map that have no old text.
  let textless: [String]
  /// Whether the old column has a default, or gets it again with the way back of its drop.
  let hasDefault: Bool

  init(_ run: MigrationRun) throws(MigrationError) {
    self.run = run
    let definition = run.definition
    let found = try MigrationError.asking {
      () throws(PostgresError) -> (
        MigrationSteps, OldColumn, Direction, [StepRecord], Bool, Bool, [String], Bool
      )
      in
      var facts = try StepFacts.ask(
        definition.derive, publication: definition.publication, on: run.connection)
      var steps = MigrationSteps(definition, facts: facts)
      let column = try OldColumn.ask(steps, on: run.connection)
      let records = try StepRecord.load(slot: definition.slot, on: run.connection)
      // The bridge must know it too: it is what an insert that leaves the column out leaves in it.
      if column == .gone, let drop = records.first(where: { $0.id == "contract.drop" }) {
        facts.statusDefault = steps.restoredDefault(drop.wayBack)
        steps = MigrationSteps(definition, facts: facts)
      }
      let map = facts.hasMap ? try MapTable.load(definition.derive.map, on: run.connection).rows : []
      let defaulted = [definition.derive.from, steps.retired].map {
        CatalogProbe.defaulted($0, of: definition.derive.table)
      }
      let stands = try run.connection.query(
        "SELECT (\(defaulted[0])) OR (\(defaulted[1]))", purpose: "look for a default"
      ).boolean(0, 0)
      return (
        steps, column, try Direction.load(slot: definition.slot, on: run.connection), records,
        try run.connection.query(
          CatalogProbe.triggers(steps.triggerNames, of: definition.derive.table),
          purpose: "look for the bridge"
        ).boolean(0, 0),
        try run.connection.query(steps.checkProbe, purpose: "look for the check").boolean(0, 0),
        map.filter { $0.status == nil }.compactMap { $0.id?.string },
        facts.statusDefault != nil || stands
      )
    }
    (steps, column, direction, records, isBridged, hasCheck, textless, hasDefault) = found
  }

  private var derive: SlotDefinition.Derive { run.definition.derive }

  private func isOurs(_ record: StepRecord) -> Bool {
    switch record.state {
    case .done, .running, .failed: true
    case .pending, .found, .undone: false
    }
  }

  /// Whether anything of a contract stands, or of an earlier way back.
  var isNeeded: Bool {
    if direction.standing == .forward, column == .gone { return false }
    return isResting
      || records.contains { ($0.id.hasPrefix("contract.") || $0.id.hasPrefix("return.")) && isOurs($0) }
  }

  /// Whether the old column is behind, or may be.
  private var isResting: Bool {
    direction.standing == .rest || direction.asked == .rest
      || (direction.standing != .forward && column != .stands)
  }

  /// The bridge stands with the old column: there is nothing to fill.
  private var isInStep: Bool { isBridged && column == .stands }

  /// The name that the old column has while it is filled.
  var name: Identifier { column == .stands ? derive.from : steps.retired }

  private var wasRequired: Bool {
    records.first { $0.id == "contract.rename" }?.wayBack.contains(steps.requireStatus) == true
  }

  /// NOT NULL comes back where every state has an old text, and something gives one to an insert that leaves the column out.
  private var isRequired: Bool { isRefilled && textless.isEmpty && givesValue }

  /// Whether the column had NOT NULL, and is filled again.
  private var isRefilled: Bool { wasRequired && !isInStep && column != .stands }

  private var givesValue: Bool { hasDefault || run.definition.migrate.bridge == .trigger }

  /// The steps of `required` and the guard that are ours to undo.
  private var undone: RollbackSteps {
    RollbackSteps(
      forward: steps.required + steps.retirement.filter { $0.id == "contract.guard" && !isResting },
      records: records)
  }

  /// Everything in order, work among it.
  func plan() throws(MigrationError) -> RollbackPlan {
    try refuse()
    var plan = RollbackPlan(
      slot: run.definition.slot, phase: try run.state()?.phase, steps: [], capture: [], keeps: undone.keeps,
      loses: [], confirmation: "\(derive.table).\(derive.from)")
    plan.goal = .cutOver
    plan.steps = undone.steps.filter { $0.id != "contract.check" || hasCheck }
    if isResting { plan.steps += try stream + returning() }
    if let exchange = temporaryBridge { plan.steps.append(exchange) }
    plan.keeps.append("\(derive.to) stays, and so do its index, its foreign key and who reads it")
    if wasRequired, !textless.isEmpty {
      plan.keeps.append("\(derive.from) stays nullable: not every state of the map has an old text")
    } else if isRefilled, !givesValue {
      plan.keeps.append(
        "\(derive.from) stays nullable: it has no default by which writers of \(derive.to) could leave it out"
      )
    }
    plan.loses = losses
    return plan
  }

  /// What the dual-write must see to derive both ways, where the drop ended that: without the bridge all columns, before and after.
  private var stream: [Step] {
    get throws(MigrationError) {
      try missing(steps.cutover.filter { ["cutover.publication", "cutover.identity"].contains($0.id) })
    }
  }

  private func missing(_ wanted: [Step]) throws(MigrationError) -> [Step] {
    try MigrationError.asking { () throws(PostgresError) in
      var missing: [Step] = []
      for step in wanted where try !run.runner.stands(step) { missing.append(step) }
      return missing
    }
  }

  /// The old column, in step, in the stream; then it is derived by again.
  private func returning() throws(MigrationError) -> [Step] {
    var list: [Step] = []
    if column == .gone { list += RollbackSteps(forward: [steps.drop], records: records).steps }
    if !isInStep {
      list += [steps.keep(name), steps.fill(name)]
      if isRequired { list += steps.requireAgain(name) }
      list.append(steps.exchange(name, isRequired: isRequired))
    }
    // Where all columns are published, there is no list to put it into.
    if steps.facts.version.major >= 15, try !stream.contains(where: { $0.id == "cutover.publication" }) {
      list += try missing([steps.publishAgain])
    }
    return list + [steps.deriveAgain]
  }

  /// The end of the bridge, where the definition asks for none and it is ours of a moment ago.
  private var temporaryBridge: Step? {
    guard run.definition.migrate.bridge != .trigger else { return nil }
    let stands = records.contains { $0.id == "return.exchange" && isOurs($0) }
    guard stands || (isResting && !isInStep) else { return nil }
    var end = steps.exchange(name, isRequired: false).reversed
    end?.title = "drop the bridge: the dual-write keeps both in step"
    return end
  }

  private var losses: [String] {
    guard isResting else { return [] }
    var losses: [String] = []
    if column == .gone {
      let fallback = steps.facts.statusDefault
      losses.append(
        "what went when \(derive.from) was dropped, and does not come back: texts that the map does not hold, "
          + "\(fallback == nil ? "its default, " : "")indexes, constraints and grants; it is made again "
          + "\(isRequired ? "NOT NULL" : "nullable")\(fallback.map { " with its default \($0)" } ?? ""), and filled by "
          + "the map")
    }
    if !textless.isEmpty {
      losses.append(
        "rows of state \(textless.joined(separator: ", ")) get NULL in \(derive.from): the map has no old text for "
          + "\(textless.count == 1 ? "it" : "them")")
    }
    return losses
  }

  /// The dual-write is needed, and somebody who takes the new column for the old one's source.
  private func refuse() throws(MigrationError) {
    guard isResting else { return }
    if column == .gone, records.first(where: { $0.id == "contract.drop" })?.wayBack.isEmpty != false {
      throw .notReady(
        what: "column \(derive.from) is gone, and no step of ours dropped it: its type is not known",
        hint:
          "ALTER TABLE \(derive.table.quoted) ADD COLUMN \(steps.retired.quoted) with its type, then run this again"
      )
    }
    if try stream.contains(where: { $0.id == "cutover.identity" }) { try refuseIdentity() }
    let runner = try MigrationError.asking { () throws(PostgresError) in
      try LockHolder.find("crossfade", run.definition.slot, on: run.connection)
    }
    guard runner == nil else { return }
    throw .notReady(
      what:
        "`crossfade run` is not at work: it is what keeps both columns in step once \(derive.from) is back",
      hint: "start it, then run this again; nothing was done")
  }

  /// Somebody else's publication may list columns by now: as before a cutover.
  private func refuseIdentity() throws(MigrationError) {
    let reach = try MigrationError.asking { () throws(PostgresError) in
      try ReachFacts.ask(run.definition, on: run.connection)
    }
    guard let (what, mend) = reach.obstacle(run.definition) else { return }
    throw .notReady(what: what, hint: "\(mend); then run this again: nothing was done")
  }
}
