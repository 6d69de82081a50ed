import ChangeLog
public import Derivation
public import Postgres

/// Looks at definition and server and makes the plan: `crossfade plan`. Asks, and writes nothing: a role that may only read
/// will do, in a session that is read-only besides.
public struct PlanSurvey: Sendable {
  let definition: SlotDefinition
  let preflight: Preflight

  /// - Parameter scanMilliseconds: how long the look at all statuses of the table may take, where no index helps.
  public init(definition: SlotDefinition, scanMilliseconds: Int = 5_000) {
    self.definition = definition
    preflight = Preflight(definition: definition, scanMilliseconds: scanMilliseconds, command: "plan")
  }

  /// A session that can change nothing.
  public func connect(_ interrupt: Interrupt) throws(PostgresError) -> Connection {
    try preflight.connect(interrupt)
  }

  /// The plan. Throws only when the session is gone: a question that the server refuses is a finding.
  ///
  /// - Parameter accepted: hazards accepted on the command line, beside those of the definition.
  public func take(
    accepted: Set<Hazard> = [], on connection: Connection
  ) throws(PostgresError) -> Plan {
    var asked = Questions()
    asked.note(preflight.local())
    asked.note(try preflight.remote(connection))
    let derive = definition.derive
    let facts =
      try asked.ask("steps") { () throws(PostgresError) in try StepFacts.ask(derive, on: connection) }
      ?? StepFacts(version: connection.serverVersion)
    let sizes = try look(connection, &asked)
    let definition = definition
    let hash = PlanHash.of(definition, facts: facts)
    asked.note(
      try asked.ask("drift") { () throws(PostgresError) in
        try AcceptedPlan.load(slot: definition.slot, on: connection)?
          .finding(try TableSketch.ask(definition, on: connection), hash: hash)
      } ?? nil)
    let steps = MigrationSteps(definition, facts: facts).all
    let estimator = sizes.map { Estimator(definition: definition, sizes: $0) }
    var entries: [Plan.Entry] = []
    for step in steps {
      if try isNotNeeded(step, after: entries, connection) { continue }
      let isDone = Self.counts(step, after: entries) ? try isDone(step, connection) : false
      entries.append(
        Plan.Entry(step: step, isDone: isDone, estimate: estimator?.estimate(step) ?? Estimate()))
    }
    return Plan(
      definition: definition, server: connection.serverVersion, hash: hash,
      findings: asked.findings.map(\.planned), entries: entries, sizes: sizes?.sentences ?? [],
      accepted: accepted.union((definition.migrate.accepted ?? []).compactMap { Hazard($0) }))
  }

  /// What `check` does not ask: who uses the old column, what our updates set going, how large all is.
  private func look(_ connection: Connection, _ asked: inout Questions) throws(PostgresError) -> SizeFacts? {
    let derive = definition.derive
    let found = try asked.ask("table") { () throws(PostgresError) in
      try TableFacts.ask(derive.table, connection)
    }
    guard let found, let table = found else { return nil }
    asked.note(
      try asked.ask("dependents") { () throws(PostgresError) in
        try Dependents.ask(table.oid, derive.from, own: self.definition.publication, connection)
      }?.findings(derive.from.description))
    asked.note(
      try asked.ask("deferred checks") { () throws(PostgresError) in
        try DeferredFacts.ask(table.oid, connection)
      }?
      .findings)
    if definition.migrate.foreignKey != .none {
      asked.note(
        try asked.ask("hot reference") { () throws(PostgresError) in
          try HotReferenceFacts.ask(states: derive.map.states.count, connection)
        }?.finding(derive))
    }
    let role = try asked.ask("role") { () throws(PostgresError) in try RoleFacts.ask(connection) }
    let reads =
      role?.schema?.usage == true
      && role?.tables.contains { $0.name == "backfill" && !$0.missing.contains("SELECT") } == true
    let sizes = try asked.ask("size") { () throws(PostgresError) in
      try SizeFacts.ask(table.oid, derive.table, slot: self.definition.slot, readsProgress: reads, connection)
    }
    asked.note(sizes?.findings(derive.table))
    return sizes
  }

  /// An old column that may be left out already: there is nothing to take away before the cutover, and the way back would
  /// require what never was.
  private func isNotNeeded(
    _ step: Step, after entries: [Plan.Entry], _ connection: Connection
  ) throws(PostgresError) -> Bool {
    guard step.id == "cutover.nullable", !Self.counts(step, after: entries) else { return false }
    return try isDone(step, connection)
  }

  /// Whether it proves anything that a step's effect stands. What takes something away is done only after the step before
  /// which nothing was there to take: a list of columns, an old column that is required.
  static func counts(_ step: Step, after entries: [Plan.Entry]) -> Bool {
    func isDone(_ id: String) -> Bool { entries.contains { $0.step.id == id && $0.isDone } }
    return switch (step.id, step.phase) {
    case ("cutover.publication", _): isDone("capture.publication")
    case ("cutover.nullable", _): isDone("cutover.direction")
    case (_, .contracted):
      entries.last.map { $0.isDone || $0.step.phase != .contracted } ?? true
    default: true
    }
  }

  /// Whether a step's effect stands. A probe that cannot run, because a table is not there, says no.
  private func isDone(_ step: Step, _ connection: Connection) throws(PostgresError) -> Bool {
    guard let probe = step.probe else { return try workIsDone(step, connection) }
    do throws(PostgresError) {
      return try connection.query(probe, purpose: "look whether \(step.id) is done").boolean(0, 0)
    } catch {
      guard case .server = error, !error.isConnectionGone else { throw error }
      return false
    }
  }

  /// Publication and slot are in the catalogs; the rest keeps its own account, which a role may not be allowed to read: then it
  /// counts as not done.
  private func workIsDone(_ step: Step, _ connection: Connection) throws(PostgresError) -> Bool {
    let purpose = "look whether \(step.id) is done"
    switch step.id {
    case "capture.publication":
      return try connection.query(
        "SELECT EXISTS (SELECT FROM pg_publication WHERE pubname = $1)", [.text(definition.publication.name)],
        purpose: purpose
      ).boolean(0, 0)
    case "capture.slot":
      return try connection.query(
        "SELECT EXISTS (SELECT FROM pg_replication_slots WHERE slot_name = $1)", [.text(definition.slot)],
        purpose: purpose
      ).boolean(0, 0)
    case "backfill.rows":
      return try recorded { () throws(PostgresError) in
        try BackfillProgress.load(slot: self.definition.slot, on: connection)?.finished == true
      }
    case "verify.whole":
      let slot = SQLText.literal(definition.slot)
      let later = Phase.allCases.filter { $0 >= .verified }.map { SQLText.literal($0.rawValue) }
      return try recorded { () throws(PostgresError) in
        try connection.query(
          "SELECT EXISTS (SELECT FROM crossfade.migration WHERE slot = \(slot) "
            + "AND phase IN (\(later.joined(separator: ", "))))", purpose: purpose
        ).boolean(0, 0)
      }
    default: return false
    }
  }

  private func recorded(_ look: () throws(PostgresError) -> Bool) throws(PostgresError) -> Bool {
    do throws(PostgresError) {
      return try look()
    } catch {
      guard case .server = error, !error.isConnectionGone else { throw error }
      return false
    }
  }
}
