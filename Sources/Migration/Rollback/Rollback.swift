public import Derivation
import DualWrite
public import Logging
public import Postgres

/// Undoes a migration, a stage a call, since applications have to follow: a contract, what readers are told, everything else.
///
/// - A contract that was begun or done goes first (`ContractReturn`): applications that write the new column alone go on, and
///   the old one is back. Then readers are told to read the old one (`ReadsReturn`).
/// - The rest only once nobody can write the new column alone.
/// - Only what was made by us is undone; what stood before stays.
/// - Capture goes first: the slot, so that the ledger's WAL is free, then the publication.
/// - Of a cutover that was broken off before the direction turned, or of its way back, the replica identity is left: it goes too.
/// - The account stays, and tells that it was undone. Interrupted anywhere, it can be run again.
public struct Rollback {
  let definition: SlotDefinition
  let interrupt: Interrupt
  let logger: Logger

  /// For a slot.
  public init(definition: SlotDefinition, interrupt: Interrupt, logger: Logger) {
    self.definition = definition
    self.interrupt = interrupt
    self.logger = logger
  }

  /// Looks, shows, asks, undoes.
  ///
  /// - Parameters:
  ///   - confirm: given the plan; what is not confirmed is not done.
  ///   - report: told of each step as it goes.
  /// - Returns: The plan, and what came of each step; nil when it was not confirmed.
  public func run(
    confirm: (RollbackPlan) -> Bool, report: @escaping @Sendable (StepNews) -> Void
  ) throws(MigrationError) -> (plan: RollbackPlan, outcomes: [StepOutcome]?) {
    let run = try MigrationRun(
      definition, command: "rollback", interrupt: interrupt, logger: logger, report: report)
    let contract = try ContractReturn(run)
    if contract.isNeeded {
      let plan = try contract.plan()
      guard confirm(plan) else { return (plan, nil) }
      return (plan, try contract.carryOut(plan))
    }
    let reads = ReadsReturn(run: run, logger: logger)
    if let plan = try reads.plan() {
      guard confirm(plan) else { return (plan, nil) }
      return (plan, try reads.carryOut())
    }
    try refuseBothWays(run)
    let capture = CaptureRollback(definition: definition, connection: run.connection)
    let plan = try plan(run, capture)
    guard !plan.isEmpty else { return (plan, []) }
    guard confirm(plan) else { return (plan, nil) }
    try capture.run()
    let outcomes = try run.run(plan.steps, isBack: true)
    try end(run)
    return (plan, outcomes)
  }

  /// While both ways are derived somebody may write the new column alone, and would fail without it.
  private func refuseBothWays(_ run: MigrationRun) throws(MigrationError) {
    let direction = try MigrationError.asking { () throws(PostgresError) in
      try Direction.load(slot: definition.slot, on: run.connection)
    }
    guard direction.standing != .forward || direction.asked != .forward else { return }
    throw .notReady(
      what: "\(definition.derive.from) is derived from \(definition.derive.to) too"
        + (direction.since.map { " since \($0)" } ?? "")
        + ": applications may write \(definition.derive.to) alone",
      hint:
        "`crossfade cutover --back --forward-only SLOT` ends that, once nobody does any more; nothing was done"
    )
  }

  /// The steps that made the map and its rows.
  private static let ofMap: Set<String> = ["expand.map", "expand.states"]

  private func plan(_ run: MigrationRun, _ capture: CaptureRollback) throws(MigrationError) -> RollbackPlan {
    let state = try run.state()
    let derive = definition.derive
    var plan = RollbackPlan(
      slot: definition.slot, phase: state?.phase, steps: [], capture: try capture.look(), keeps: [],
      loses: [],
      confirmation: "\(derive.table).\(derive.to)")
    do throws(PostgresError) {
      let facts = try StepFacts.ask(derive, on: run.connection)
      let records = try StepRecord.load(slot: definition.slot, on: run.connection)
      let undone = RollbackSteps(forward: RollbackSteps.forward(definition, facts), records: records)
      plan.steps = (try capture.publication()).map { [$0] } ?? []
      plan.steps += undone.steps
      plan.keeps = undone.keeps
      let shared = plan.steps.filter { Self.ofMap.contains($0.id) }
      if !shared.isEmpty {
        let users = try MapUsers.find(derive, slot: definition.slot, on: run.connection)
        if !users.isEmpty {
          plan.steps.removeAll { Self.ofMap.contains($0.id) }
          plan.keeps.append(
            "\(derive.map.table) stays with its states: \(users.joined(separator: ", ")) needs it")
        }
      }
    } catch {
      throw .postgres(error)
    }
    if plan.steps.contains(where: { $0.id == "expand.column" }) {
      plan.loses.append(
        "the values of \(derive.table).\(derive.to): each is derived from \(derive.from), and can be again")
    }
    if !plan.isEmpty { plan.keeps.append("schema crossfade stays: it holds the audit trail") }
    return plan
  }

  /// What went with something else is undone too; then the migration is where it began.
  private func end(_ run: MigrationRun) throws(MigrationError) {
    do throws(PostgresError) {
      guard try run.runner.account.isThere() else { return }
      try run.connection.query(
        """
        UPDATE crossfade.step SET state = 'undone', finished_at = clock_timestamp()
         WHERE slot = $1 AND state IN ('done', 'running', 'failed') AND step <> 'expand.schema'
        """, [.text(definition.slot)], purpose: "write down what went with the rest")
      // What was found of the column is not true of the next one.
      for table in ["verification", "verification_row", "legacy"] {
        let purpose = "forget what was found of the column"
        guard
          try run.connection.query(
            "SELECT to_regclass('crossfade.\(table)') IS NOT NULL", purpose: purpose
          ).boolean(0, 0)
        else { continue }
        try run.connection.query(
          "DELETE FROM crossfade.\(table) WHERE slot = $1", [.text(definition.slot)], purpose: purpose)
      }
    } catch {
      throw .postgres(error)
    }
    try run.enter(.planned, onlyForward: false)
  }
}
