import ChangeLog
import Derivation
import Logging
import PGOutput
import Postgres

/// A session with the target: its statements prepared, its writes marked as ours.
final class TargetSession {
  let connection: Connection
  let checkpoint: Checkpoint
  let plan: DualWritePlan
  let mark: WriteMark
  let keyColumns: Int
  /// Which way is asked for and done, as of the last commit.
  private(set) var direction: Direction
  private var prepared: Set<Direction.Standing> = []
  /// Whether it can look for locked rows.
  var looksForHeldRows = false
  /// Whether it can tell who locks them.
  var namesHolders = false

  /// The oldest transaction that was under way at the last commit (32 bits): everything before it is settled.
  private(set) var horizon: UInt32?
  /// Whether anything was in quarantine at the last commit.
  private(set) var quarantineInUse = true

  /// Connects, takes the slot's lock, makes what is missing, reads the checkpoint.
  init(
    plan: DualWritePlan, origin: OriginIdentity, start: LSN, interrupt: Interrupt, logger: Logger
  ) throws(DualWriteError) {
    self.plan = plan
    keyColumns = plan.derive.key.count
    let holder: Int64?
    let isStandby: Bool
    do throws(PostgresError) {
      connection = try Connection(plan.connection, options: Self.options(plan), interrupt: interrupt)
      isStandby = try connection.query("SELECT pg_is_in_recovery()", purpose: "ask whether it takes writes")
        .boolean(0, 0)
      holder = try SlotLock(slot: plan.slot).take(on: connection)
    } catch {
      throw .postgres(error)
    }
    if isStandby { throw .standby }
    if let holder { throw .heldElsewhere(slot: plan.slot, pid: holder) }
    let loaded: Checkpoint?
    let direction: Direction
    do throws(PostgresError) {
      try ControlSchema.ensure(on: connection)
      if try Checkpoint.load(slot: plan.slot, on: connection) == nil {
        try Checkpoint.create(endLSN: start, origin: origin, on: connection)
      }
      loaded = try Checkpoint.load(slot: plan.slot, on: connection)
      direction = try Direction.load(slot: plan.slot, on: connection)
    } catch {
      throw .postgres(error)
    }
    guard let loaded else {
      throw .postgres(
        .unexpected(purpose: "read the checkpoint", what: "it is not there after it was written"))
    }
    checkpoint = loaded
    self.direction = direction
    try Self.compare(loaded, origin)
    do throws(PostgresError) {
      mark = try WriteMark(.dualWrite, slot: plan.slot, on: connection)
    } catch {
      throw .postgres(error)
    }
    try prepare(for: direction.standing)
    logger.info(
      "applying",
      metadata: [
        "slot": "\(plan.slot)", "after": "\(loaded.endLSN)", "mark": "\(mark.kind.rawValue)",
        "direction": "\(direction.standing.rawValue)",
      ])
  }

  /// The map as it stands.
  func map() throws(DualWriteError) -> StateMap {
    do {
      return try MapTable.load(plan.derive.map, on: connection)
    } catch {
      throw .postgres(error)
    }
  }

  /// How binary values of key and status read where their types are not built in: enums, domains.
  func binaryForms() throws(DualWriteError) -> [TypeOID: BinaryForm] {
    do {
      return try BinaryForms.find(plan.derive, on: connection)
    } catch {
      throw .postgres(error)
    }
  }

  /// Derives some keys only; the checkpoint stands.
  func apply(_ keys: [Parameter]) throws(PostgresError) {
    let purpose = "apply a part of a batch"
    try connection.startPipeline(
      [mark.statement(end: "\(checkpoint.endLSN)"), PipelineStatement("apply", keys)], purpose: purpose)
    _ = try connection.finishPipeline(purpose: purpose)
  }

  /// What came of a batch.
  enum Outcome {
    /// Committed; so many rows were written.
    case committed(rows: Int)
    /// Committed, in the standings in which nothing is derived from the row as it stands.
    case landed(CourseLanding)
    /// The rows are written, the checkpoint stands: a transaction of the batch is not visible yet.
    case unsettled
  }

  /// Waits for the batch sent last.
  func finish(_ batch: Batch) throws(PostgresError) -> Outcome {
    let purpose = "apply a batch"
    let results = try connection.finishPipeline(purpose: purpose)
    // The first result is the mark's, then come those of what writes both ways.
    let place = 1 + (batch.course?.writes ?? 0)
    guard results.count > place else { throw .unexpected(purpose: purpose, what: "too few results") }
    let advanced = results[place]
    guard advanced.rowCount > 0 else { return .unsettled }
    if batch.turn != nil, results.last?.affectedRows == 1 {
      direction = try Direction.load(slot: plan.slot, on: connection)
    } else {
      direction.note(asked: advanced[0, 2])
    }
    horizon = advanced.integer(0, 0).map { UInt32(truncatingIfNeeded: $0) }
    try noteQuarantine(advanced.boolean(0, 1), batch)
    guard batch.course != nil else { return .committed(rows: results[2].affectedRows) }
    let rows = results[1..<place].reduce(0) { $0 + max(0, $1.affectedRows) }
    return .landed(try CourseLanding(advanced, rows: rows, purpose))
  }

  private func noteQuarantine(_ found: Bool, _ batch: Batch) throws(PostgresError) {
    let inUse = found || !batch.unknown.isEmpty
    defer { quarantineInUse = inUse }
    guard inUse, !quarantineInUse else { return }
    // Something came into quarantine beside us: what this batch settles is released now.
    let parameters = BatchParameters(batch, keyColumns: keyColumns, withSettled: true)
    if parameters.settledCount > 0 {
      try connection.query(
        QuarantineSQL.release, [.text(plan.slot), parameters.settled], purpose: "release settled keys")
    }
  }

  /// Looks which way is asked for: when no batch told.
  func lookAtDirection() throws(DualWriteError) {
    do { direction = try Direction.load(slot: plan.slot, on: connection) } catch { throw .postgres(error) }
  }

  /// The number of a transaction of the batch that is not visible, nil when all are.
  func unsettled(_ batch: Batch) throws(PostgresError) -> UInt32? {
    let rows = try connection.query(
      Checkpoint.unsettled, [xids(batch)], purpose: "look for transactions that are not visible yet")
    return rows.integer(0, 0).map { UInt32(truncatingIfNeeded: $0) }
  }

  /// Where the server writes its WAL, and up to where it is on disk.
  func writtenAhead() throws(PostgresError) -> (inserted: LSN, flushed: LSN) {
    let purpose = "ask what is flushed"
    let rows = try connection.query(
      "SELECT pg_catalog.pg_current_wal_insert_lsn(), pg_catalog.pg_current_wal_flush_lsn()", purpose: purpose
    )
    guard rows.rowCount == 1, let inserted = rows[0, 0].flatMap({ LSN($0) }),
      let flushed = rows[0, 1].flatMap({ LSN($0) })
    else { throw .unexpected(purpose: purpose, what: "no positions") }
    return (inserted, flushed)
  }

  /// The transactions whose visibility is in doubt: those younger than the last horizon.
  func xids(_ batch: Batch) -> Parameter {
    var array = ArrayLiteral(capacity: batch.xids.count * 11 + 8)
    for xid in batch.xids {
      if let horizon, Int32(bitPattern: xid &- horizon) < 0 { continue }
      array.append(Array("\(xid)".utf8))
    }
    return .terminatedText(array.finish())
  }

  /// Prepares what a standing needs: at rest nothing that names the old column, which may be gone.
  func prepare(for standing: Direction.Standing) throws(DualWriteError) {
    guard prepared.insert(standing).inserted else { return }
    do throws(PostgresError) {
      let types = try MapTable.keyTypes(plan.derive, on: connection)
      guard types.count == plan.derive.key.count else {
        throw PostgresError.unexpected(purpose: "prepare", what: "missing")
      }
      try prepareStatements(
        for: standing, DerivationSQL(plan.derive, keyTypes: types), isFirst: prepared.count == 1)
    } catch {
      if case .unexpected(purpose: "prepare", what: "missing") = error {
        throw .missingObject(
          what: "table \(plan.derive.table) or one of its key columns does not exist in the target")
      }
      switch error.sqlState {
      case .undefinedTable?, .undefinedObject?, SQLState(rawValue: "42703")?:
        throw .missingObject(what: "\(error)")
      default: throw .postgres(error)
      }
    }
  }

  /// All is prepared: from now on it waits for locks as briefly as the definition says.
  func beginsWork() throws(DualWriteError) {
    do {
      try LockWait.work(plan.lockTimeout, on: connection)
    } catch {
      throw .postgres(error)
    }
  }

  private static func options(_ plan: DualWritePlan) -> Connection.Options {
    Connection.Options(
      applicationName: "crossfade dual-write \(plan.slot)",
      settings: [
        ("lock_timeout", "\(LockWait.connecting(plan.lockTimeout))"),
        ("statement_timeout", "\(plan.statementTimeout)"),
        ("synchronous_commit", plan.synchronousCommit), ("idle_in_transaction_session_timeout", "60000"),
        ("default_transaction_isolation", "read committed"), ("search_path", "pg_catalog"), OwnWrites.setting,
      ] + DerivationSQL.planSettings)
  }

  private static func compare(_ checkpoint: Checkpoint, _ origin: OriginIdentity) throws(DualWriteError) {
    guard checkpoint.format <= ControlSchema.version else {
      throw .newerCheckpoint(format: checkpoint.format)
    }
    guard checkpoint.origin.systemIdentifier == origin.systemIdentifier else {
      throw .foreignCheckpoint(
        slot: origin.slot,
        what: "system \(checkpoint.origin.systemIdentifier), not \(origin.systemIdentifier)")
    }
    guard checkpoint.origin.databaseOID == origin.databaseOID else {
      throw .foreignCheckpoint(
        slot: origin.slot, what: "database oid \(checkpoint.origin.databaseOID), not \(origin.databaseOID)")
    }
  }
}
