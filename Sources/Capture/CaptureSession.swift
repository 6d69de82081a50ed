import ChangeLog
import Logging
import PGOutput
import Postgres

/// One process's sessions with the source: the first opens the log, each runs a stream.
struct CaptureSession {
  let plan: CapturePlan
  let logger: Logger
  let interrupt: Interrupt
  let status: CaptureStatusBoard
  let confirmationLimit: (@Sendable () -> LSN)?
  let appliedPosition: @Sendable () -> LSN

  /// The log's origin and start once it is open; checked again at each connection.
  private var held: OriginGuard.Held?
  /// The prepared transactions whose changes are in the spool.
  private var prepared: [PreparedTransaction] = []
  /// Whether those are all that are not settled.
  private var spoolIsComplete = false
  /// The server could not stream a transaction while it ran: from now on it sends them when they commit.
  private var streamsNothing = false

  /// How long a slot that somebody reads is waited for, at the start and after a lost connection: a walsender whose
  /// client died without a word holds its slot until `wal_sender_timeout`.
  private static let activePatienceAtStart = 10_000
  private static let activePatience = 75_000

  init(
    plan: CapturePlan, logger: Logger, interrupt: Interrupt, status: CaptureStatusBoard,
    confirmationLimit: (@Sendable () -> LSN)?, appliedPosition: @escaping @Sendable () -> LSN
  ) {
    self.plan = plan
    self.logger = logger
    self.interrupt = interrupt
    self.status = status
    self.confirmationLimit = confirmationLimit
    self.appliedPosition = appliedPosition
  }

  /// Checks source, publication, slot, log and checkpoint against each other, makes what is missing at a first start,
  /// and opens the log.
  mutating func open(
    checkpoint: () throws(PostgresError) -> LSN?, tail: LogTail
  ) throws(CaptureError) -> OpenLog {
    let summary: LogSummary?
    do { summary = try ChangeLogWriter.inspect(directory: plan.directory) } catch { throw .log(error) }
    let source = try Source(plan: plan, interrupt: interrupt)
    let mark: LSN?
    do { mark = try checkpoint() } catch { throw .postgres(error) }
    try source.publication(begun: summary != nil || mark != nil)
    let found = summary.map { OriginGuard.Held(origin: $0.origin, end: $0.end, watermark: $0.watermark) }
    let decision = try source.decide(held: found, checkpoint: mark)
    let start: LSN
    let sendsNoPrepared: Bool
    switch decision {
    case .start(let position):
      start = position
      sendsNoPrepared = try source.slot().map { !$0.twoPhase } ?? false
    case .createSlot:
      start = try source.createSlot()
      sendsNoPrepared = true
      logger.notice("created replication slot", metadata: ["slot": "\(plan.slot)", "at": "\(start)"])
    }
    let origin = OriginIdentity(
      systemIdentifier: source.system.systemIdentifier, timeline: source.system.timeline,
      databaseOID: source.databaseOID, slot: plan.slot, creationPoint: start)
    do {
      // Before the log says that it has followed: a process that dies between the two would never doubt it again.
      let isPromoted = found.map { $0.origin.timeline != source.system.timeline } ?? false
      if isPromoted { try doubtSpool(source) }
      let writer = try ChangeLogWriter.open(
        directory: plan.directory, origin: origin, start: start,
        options: .init(segmentBytes: UInt64(max(1, plan.segmentSize)), tail: tail))
      report(writer.recovery)
      let spools = try SpoolStore(logDirectory: plan.directory)
      prepared = try spools.recover(logEnd: writer.watermark)
      if sendsNoPrepared { try spools.markComplete() }
      spoolIsComplete = spools.isComplete
      held = OriginGuard.Held(origin: writer.origin, end: writer.end, watermark: writer.watermark)
      return OpenLog(writer: writer, spools: spools)
    } catch {
      throw .log(error)
    }
  }

  /// What the log's thread works on.
  struct OpenLog {
    var writer: ChangeLogWriter
    var spools: SpoolStore
  }

  /// Connects, checks and streams until the stream ends, is lost or is told to stop.
  ///
  /// - Parameter connected: called when the stream has started.
  mutating func stream(into feed: LogFeed, connected: () -> Void) throws(CaptureError) {
    let source = try Source(plan: plan, interrupt: interrupt)
    guard var held else { throw .protocolViolation(walStart: .invalid, what: "the log is not open") }
    held.watermark = try feed.durable()
    held.end = held.watermark
    self.held = held
    let patience = status.current.reconnects == 0 ? Self.activePatienceAtStart : Self.activePatience
    let start = try source.awaitSlot(held: held, patienceMilliseconds: patience)
    try follow(source, feed)
    var options = PgoutputOptions.negotiate(
      server: source.replication.serverVersion, publications: [plan.publication], wishes: plan.wishes,
      slotIsTwoPhase: try source.slot()?.twoPhase ?? false)
    if streamsNothing { options.streaming = .off }
    if options.binary { try source.checkBinary() }
    if options.twoPhase, confirmationLimit != nil {
      throw .refused(
        .slotUnusable(
          slot: plan.slot,
          what:
            "it is two-phase: prepared transactions are sent once, and kept in the change log's spool alone, "
            + "while `confirm: applied` is for logs that may be lost. Use `confirm: logged`"))
    }
    if options.twoPhase, options.withoutOrigins {
      throw .refused(
        .slotUnusable(
          slot: plan.slot,
          what:
            "with `origin: none` the server leaves out the prepare or the commit of a prepared transaction, whichever has "
            + "an origin, and sends the other. Use `origin: any`, or a slot that is not two-phase"))
    }
    let replication: ReplicationStream
    do {
      replication = try ReplicationStream(
        on: source.replication, slot: plan.slot, start: start, options: options)
    } catch {
      throw .postgres(error)
    }
    logger.info(
      "streaming",
      metadata: [
        "slot": "\(plan.slot)", "from": "\(start)", "server": "\(source.replication.serverVersion)",
        "protocol": "\(options.protocolVersion)", "streaming": "\(options.streaming)",
        "two-phase": "\(options.twoPhase)",
      ])
    connected()
    status.update { [timeline = source.system.timeline] status in
      status.phase = .streaming
      status.timeline = timeline
    }
    var stream = SourceStream(
      stream: replication, feed: feed, status: status, interrupt: interrupt,
      framer: StreamFramer(
        ownOrigin: plan.ownOrigin, ownPrefix: plan.ownPrefix, ownContent: plan.slot,
        ownCorrections: plan.ownCorrections, prepared: prepared, spoolIsComplete: spoolIsComplete),
      start: start, reportInterval: source.reportInterval, confirmationLimit: confirmationLimit,
      appliedPosition: appliedPosition,
      rolledBack: { (subtransactions, between) throws(CaptureError) in
        try RolledBack.among(subtransactions, of: source, between: between)
      })
    let end: SourceStream.End
    do {
      end = try stream.run()
    } catch {
      _ = try feed.settle()
      prepared = stream.framer.pending
      let explained = explained(error)
      guard options.streaming != .off, case .postgres(let cause) = explained, case .server = cause,
        !cause.isRetriable
      else { throw explained }
      // The log is the same either way, so nothing is lost by asking for less. 18 cannot stream what follows a table's
      // rewrite after a rolled back savepoint, and sends it whole.
      streamsNothing = true
      logger.warning(
        "the server failed while it streamed a transaction; from now on they are asked for when they commit",
        metadata: ["error": "\(error)"])
      return
    }
    let durable = try feed.settle()
    prepared = stream.framer.pending
    if case .stopped = end { try stream.finish(durable: durable) }
  }

  /// The server was promoted, and `OriginGuard` has found that up to the log's watermark it is the one we knew: from
  /// here on positions are of its new timeline, in a segment of their own.
  private mutating func follow(_ source: Source, _ feed: LogFeed) throws(CaptureError) {
    let timeline = source.system.timeline
    guard let former = held?.origin.timeline, timeline != former else { return }
    do throws(ChangeLogError) { try doubtSpool(source) } catch { throw .log(error) }
    try feed.advance(timeline: timeline)
    held?.origin.timeline = timeline
    logger.notice(
      "the server was promoted; the log goes on in a new segment",
      metadata: ["from-timeline": "\(former)", "to-timeline": "\(timeline)"])
  }

  /// 17 does not synchronize from where on a slot is two-phase, so that a promoted server may not send again what it ought to.
  private mutating func doubtSpool(_ source: Source) throws(ChangeLogError) {
    guard source.replication.serverVersion.major == 17 else { return }
    try SpoolDirectory.doubtCompleteness(logDirectory: plan.directory)
    spoolIsComplete = false
  }

  /// A stream whose publication is gone.
  private func explained(_ error: CaptureError) -> CaptureError {
    guard case .postgres(let cause) = error, cause.isPublicationMissing else { return error }
    return .refused(.publicationMissing(publication: plan.publication))
  }

  private func report(_ recovery: RecoveryReport?) {
    guard let recovery else { return }
    logger.notice("the change log was recovered", metadata: ["what": "\(recovery)"])
  }
}
