import ChangeLog
import Glibc
import PGOutput
import Postgres

/// A replication session with the ledger's server, checked.
struct Source {
  let plan: CapturePlan
  let replication: Connection
  let sql: Connection
  let system: SystemIdentity
  /// How the server's timeline came about; nil when it is the first, or when the server cannot tell.
  let history: TimelineHistory?
  let databaseOID: UInt32
  let reportInterval: UInt64
  private let interrupt: Interrupt

  /// The longest time between two reports (worker.c reports every `wal_receiver_status_interval`, 10 s).
  private static let longestInterval: UInt64 = 10_000_000_000

  init(plan: CapturePlan, interrupt: Interrupt) throws(CaptureError) {
    self.plan = plan
    self.interrupt = interrupt
    let name = "crossfade capture \(plan.slot)"
    do {
      sql = try Self.session(plan, interrupt)
    } catch {
      throw .postgres(error)
    }
    let preflight = Preflight(plan: plan, connection: sql)
    databaseOID = try preflight.databaseOID()
    // Four reports within the server's limit, so that one may be late.
    reportInterval =
      try preflight.walSenderTimeout().map { min($0 / 4, Self.longestInterval) } ?? Self.longestInterval
    do {
      replication = try Connection(
        plan.connection, options: .init(applicationName: name, replication: true), interrupt: interrupt)
      system = try replication.identifySystem()
      history = try Self.history(of: system.timeline, on: replication)
    } catch {
      switch error.sqlState {
      case .insufficientPrivilege?:
        throw .refused(
          .privilege(what: "\(error)", grant: "ALTER ROLE ... REPLICATION, and a line in pg_hba.conf"))
      case .tooManyConnections?: throw .refused(.exhausted(what: "no walsender is free: \(error)"))
      default: throw .postgres(error)
      }
    }
  }

  func publication(begun: Bool) throws(CaptureError) {
    try PublicationKeeper(plan: plan, connection: sql).ensure(begun: begun)
  }

  func slot() throws(CaptureError) -> ReplicationSlot? {
    do { return try ReplicationSlot.find(plan.slot, on: sql) } catch { throw .postgres(error) }
  }

  func decide(held: OriginGuard.Held?, checkpoint: LSN?) throws(CaptureError) -> OriginGuard.Decision {
    let slot = try slot()
    let judge = OriginGuard(
      slotName: plan.slot, system: system, databaseOID: databaseOID, slot: slot, held: held,
      checkpoint: checkpoint, history: history, canSynchronizeSlots: sql.serverVersion.major >= 17)
    do { return try judge.decide() } catch { throw .refused(error) }
  }

  /// The start position once nobody else reads the slot. The holder is named when patience is at its end.
  func awaitSlot(held: OriginGuard.Held, patienceMilliseconds: Int) throws(CaptureError) -> LSN {
    let deadline = Deadline.after(milliseconds: patienceMilliseconds)
    while true {
      let decision = try decide(held: held, checkpoint: nil)
      guard case .start(let position) = decision else {
        throw .refused(.slotMissing(slot: plan.slot, logEnd: held.watermark))
      }
      guard let pid = try slot()?.activePID else { return position }
      if deadline.hasPassed { throw .refused(.slotActive(slot: plan.slot, pid: pid)) }
      if interrupt.wait(milliseconds: 100) { throw .postgres(.interrupted(purpose: "wait for the slot")) }
    }
  }

  /// Refuses values in binary form that nobody here could read: once in the log they stay as they are.
  func checkBinary() throws(CaptureError) {
    let table = plan.table
    let columns: [TableColumn]
    do {
      columns = try TableColumn.find(table.columns, schema: table.schema, table: table.name, on: sql)
    } catch {
      throw .postgres(error)
    }
    guard let column = BinaryColumns(columns).unreadable else { return }
    throw .refused(
      .binaryUnreadable(table: "\(table.schema).\(table.name)", column: column.name, type: column.type))
  }

  /// A history file that somebody has removed proves nothing; the guard refuses where it is needed.
  private static func history(
    of timeline: UInt32, on replication: Connection
  ) throws(PostgresError) -> TimelineHistory? {
    do {
      return try replication.timelineHistory(timeline)
    } catch {
      guard case .server = error, !error.isConnectionGone else { throw error }
      return nil
    }
  }

  /// A new session beside the stream, where the one from its beginning was lost.
  func anotherSession() throws(CaptureError) -> Connection {
    do { return try Self.session(plan, interrupt) } catch { throw .postgres(error) }
  }

  private static func session(_ plan: CapturePlan, _ interrupt: Interrupt) throws(PostgresError) -> Connection
  {
    let session = try Connection(
      plan.connection, options: .init(applicationName: "crossfade capture \(plan.slot)"), interrupt: interrupt
    )
    // It idles as long as the stream lasts.
    if session.serverVersion.major >= 14 {
      try session.script("SET idle_session_timeout = 0", purpose: "let the session idle")
    }
    return session
  }

  func createSlot() throws(CaptureError) -> LSN {
    let server = replication.serverVersion
    let twoPhase = plan.wishes.twoPhase && server.major >= 15
    let failover = StreamNegotiation.makesFailoverSlot(server: server, wished: plan.failover)
    do {
      return try replication.createSlot(plan.slot, twoPhase: twoPhase, failover: failover).consistentPoint
    } catch {
      if error.sqlState == .configurationLimitExceeded { throw .refused(.exhausted(what: "\(error)")) }
      throw .postgres(error)
    }
  }
}
