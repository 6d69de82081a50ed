import ChangeLog
import Derivation
import DualWrite
import FailPoints
import PGOutput
import Postgres

/// A session that repairs: one repair a slot at a time, its writes marked as ours, so that capture drops them
/// and keeps what they tell of the rows (`CorrectionSQL`).
final class RepairSession {
  private let connection: Connection
  private let plan: RepairPlan
  private let mark: WriteMark
  private var slot: String { plan.definition.slot }

  /// Connects, takes the lock, looks whether all is there, prepares.
  init(_ plan: RepairPlan, interrupt: Interrupt) throws(ReplayError) {
    self.plan = plan
    let definition = plan.definition
    let derive = definition.derive
    let write = definition.write
    let isFree: Bool
    let types: [String]
    let type: String?
    do throws(PostgresError) {
      connection = try Connection(
        definition.source.revealed,
        options: .init(
          applicationName: "crossfade replay \(definition.slot)",
          settings: [
            ("lock_timeout", "\(LockWait.connecting(write.lockTimeout.count))"),
            ("statement_timeout", "\(write.statementTimeout.count)"),
            ("synchronous_commit", write.synchronousCommit.rawValue), ("search_path", "pg_catalog"),
            ("default_transaction_isolation", "read committed"),
          ] + DerivationSQL.planSettings), interrupt: interrupt)
      isFree = try connection.query(
        "SELECT pg_catalog.pg_try_advisory_lock(\(RepairRecord.lockKeys))", [.text(definition.slot)],
        purpose: "take the replay's lock"
      ).boolean(0, 0)
      types = try MapTable.keyTypes(derive, on: connection)
      type = try MapTable.columnType(derive.to, of: derive.table, on: connection)
    } catch {
      throw .postgres(error)
    }
    guard isFree else {
      throw .refused(
        what: "slot \(definition.slot) is being repaired by another replay", hint: "wait for it, or stop it")
    }
    guard types.count == derive.key.count, let type else {
      throw .refused(
        what: "table \(derive.table) of the target lacks a key column, or column \(derive.to)",
        hint: "`crossfade expand SLOT` makes the new column; `crossfade check SLOT` lists what is missing")
    }
    let direction: Direction
    do { direction = try Direction.load(slot: definition.slot, on: connection) } catch {
      throw .postgres(error)
    }
    if let refusal = direction.refusalToDerive {
      throw .refused(what: "no repair: " + refusal, hint: Direction.refusalHint)
    }
    do throws(PostgresError) {
      try ControlSchema.ensure(on: connection)
      try RepairRecord.ensure(on: connection)
      mark = try WriteMark(.replay, slot: definition.slot, on: connection)
      let sql = RepairSQL(
        derive: derive, keyTypes: types, givenMapType: plan.states == nil ? nil : type,
        isHeard: CorrectionSQL.isHeard(major: connection.serverVersion.major))
      try connection.prepare("apply", sql.apply, purpose: "prepare the repair")
      try connection.prepare(
        "durable", "SELECT pg_catalog.set_config('synchronous_commit', 'on', true)",
        purpose: "prepare the last commit")
      try LockWait.work(write.lockTimeout.count, on: connection)
    } catch {
      throw .postgres(error)
    }
  }

  /// Refuses states that the target's map table does not hold: the new column points into it.
  func requireStates() throws(ReplayError) {
    guard let states = plan.states else { return }
    let map: StateMap
    do { map = try MapTable.load(plan.definition.derive.map, on: connection) } catch {
      throw .postgres(error)
    }
    let missing = states.filter { map.state(id: $0.id) == nil }
    guard missing.isEmpty else {
      throw .refused(
        what: "the map given has \(missing.map { "\($0.id) (\($0.code))" }.joined(separator: ", ")), which "
          + "\(plan.definition.derive.map.table) does not hold",
        hint: "add the states to the map table first: the new column may only hold what stands there")
    }
  }

  /// Lets go of the lock, before the session ends: the server notices that a moment later, and whoever comes next would be
  /// refused.
  func release() throws(PostgresError) {
    try connection.query("SELECT pg_advisory_unlock_all()", purpose: "let go of the replay's lock")
  }

  /// Where the repair begun last stands.
  func record() throws(PostgresError) -> RepairRecord? {
    try RepairRecord.load(slot: slot, on: connection)
  }

  /// Begins anew.
  func begin(_ range: ResolvedRange) throws(PostgresError) {
    try RepairRecord.begin(slot: slot, request: plan.request, range: range, on: connection)
  }

  /// Writes rows and moves the position, in one commit. Gives the rows written since the repair began.
  func apply(
    _ rows: some Collection<RepairRow>, to position: Position, changes: Int, refused: Int = 0,
    gaps: [LogGap] = [], isLast: Bool = false
  ) throws(PostgresError) -> Int64 {
    let purpose = "repair a batch"
    var parameters: [Parameter] = [
      .text(slot), .text("\(position.endLSN)"), position.ordinalParameter, .integer(changes),
      .integer(refused), .text("[\(gaps.map(\.json).joined(separator: ", "))]"), .text("\(isLast)"),
    ]
    if let states = plan.states {
      var statuses = ArrayLiteral(capacity: states.count * 16)
      var ids = ArrayLiteral(capacity: states.count * 8)
      for state in states {
        if let status = state.status { statuses.append(status.bytes) } else { statuses.appendNull() }
        ids.append(state.id.bytes)
      }
      parameters += [.terminatedText(statuses.finish()), .terminatedText(ids.finish())]
    }
    parameters += TargetReader.arrays(rows.map(\.key), columns: plan.definition.derive.key.count)
    var corrects = ArrayLiteral(capacity: rows.count * 20 + 8)
    for row in rows { corrects.append("\(row.position)".utf8) }
    parameters.append(.terminatedText(corrects.finish()))
    var statements = [mark.statement(), PipelineStatement("apply", parameters)]
    // What is told to be done must outlive a crash: this flush takes all the commits before it along.
    if isLast, plan.definition.write.synchronousCommit == .off {
      statements.insert(PipelineStatement("durable", []), at: 1)
    }
    try connection.startPipeline(
      statements, purpose: purpose,
      beforeSync: FailPoint.isArmed(.appliedBeforeCommit) ? { FailPoint.pass(.appliedBeforeCommit) } : nil)
    let results = try connection.finishPipeline(purpose: purpose)
    FailPoint.pass(.committedBeforeConfirm)
    guard let last = results.last, last.rowCount == 1 else {
      throw .unexpected(purpose: purpose, what: "the replay's row in crossfade.replay is gone")
    }
    return last.integer(0, 0) ?? 0
  }
}
