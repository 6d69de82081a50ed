import Capture
public import Derivation
import DualWrite
public import Logging
public import Postgres

/// Derives the rows that were there before capture began: page after page in key order, up to a bound pinned at the
/// start. Everything that changes meanwhile, or comes after the bound, is the stream's.
///
/// Three threads: this one works; one looks at the signals and at what operators want; one answers on a socket.
public struct Backfill: Sendable {
  let definition: SlotDefinition
  let interrupt: Interrupt
  let logger: Logger
  let watch: BackfillWatch

  /// A backfill of a slot.
  public init(definition: SlotDefinition, interrupt: Interrupt, logger: Logger) {
    self.definition = definition
    self.interrupt = interrupt
    self.logger = logger
    watch = BackfillWatch(definition)
  }

  /// Runs to the end, from where it stood. `report` is called after every page, and while it waits.
  public func run(report: (BackfillStatus) -> Void) throws(MigrationError) -> BackfillProgress {
    guard let ending = Interrupt() else {
      throw .notReady(what: "out of file descriptors", hint: "raise the limit (ulimit -n)")
    }
    var workers: [Worker<Bool>] = []
    defer {
      ending.stop()
      // They wait for nothing but their interrupt and statements with a short timeout.
      let deadline = Deadline.after(milliseconds: 10_000)
      while workers.contains(where: { !$0.isFinished }), !deadline.hasPassed { Nap.take(milliseconds: 2) }
    }
    let progress = try sessions(report) { if workers.isEmpty { workers = beside(ending) } }
    if progress.finished { try enterBackfilled() }
    return progress
  }

  /// The migration has come so far, unless `constrain` has work to do first.
  private func enterBackfilled() throws(MigrationError) {
    guard definition.migrate.index != .after, definition.migrate.foreignKey != .validate else { return }
    do throws(MigrationError) {
      let connection = try MigrationError.asking { () throws(PostgresError) in
        try Connection(
          definition.source.revealed,
          options: .init(applicationName: "crossfade backfill \(definition.slot)"), interrupt: interrupt)
      }
      try MigrationState.enter(.backfilled, slot: definition.slot, on: connection)
    } catch {
      guard case .postgres(let cause) = error, cause.sqlState == .insufficientPrivilege else { throw error }
      logger.notice("the phase of the migration is left as it was", metadata: ["reason": "\(cause)"])
    }
  }

  /// Session after session, until it is done.
  ///
  /// - Parameter opened: called with the lock held: nobody else's socket stands there then.
  private func sessions(
    _ report: (BackfillStatus) -> Void, opened: () -> Void
  ) throws(MigrationError) -> BackfillProgress {
    var waits = Backoff(firstMilliseconds: 100, lastMilliseconds: 5000)
    while true {
      do throws(PostgresError) {
        var work = try open()
        opened()
        waits.succeeded()
        return try work.run(report)
      } catch {
        guard error.isRetriable else { throw Self.explained(error, definition.slot) }
        logger.warning("the backfill goes on in a moment", metadata: ["error": "\(error)"])
        if var status = watch.status {
          status.state = .reconnecting("\(error)")
          watch.status = status
          report(status)
        }
        if interrupt.wait(milliseconds: waits.next()) {
          throw .postgres(.interrupted(purpose: "backfill"))
        }
      }
    }
  }

  /// The threads beside this one.
  private func beside(_ ending: Interrupt) -> [Worker<Bool>] {
    let sampler = SignalSampler(definition: definition, watch: watch, interrupt: ending, logger: logger)
    var workers = [
      Worker<Bool> {
        sampler.run()
        return true
      }
    ]
    do throws(ControlSocket.Fault) {
      let socket = try ControlSocket(directory: definition.log.directory)
      let watch = watch
      workers.append(
        Worker<Bool> {
          socket.serve(until: ending) { BackfillAnswers(watch: watch).answer($0, by: $1) }
          return true
        })
    } catch {
      logger.notice(
        "no control socket; `crossfade backfill SLOT pause` and SQL work all the same",
        metadata: ["reason": "\(error)"])
    }
    return workers
  }

  /// Forgets where a backfill stood, so that it begins anew.
  public static func restart(slot: String, on connection: Connection) throws(PostgresError) {
    guard try BackfillProgress.load(slot: slot, on: connection) != nil else { return }
    let purpose = "forget the backfill's progress"
    try connection.transaction(purpose: purpose) { () throws(PostgresError) in
      try connection.query("DELETE FROM crossfade.backfill WHERE slot = $1", [.text(slot)], purpose: purpose)
      let there = try connection.query(
        "SELECT to_regclass('crossfade.backfill_skipped') IS NOT NULL", purpose: purpose)
      guard there.boolean(0, 0) else { return }
      try connection.query(
        "DELETE FROM crossfade.backfill_skipped WHERE slot = $1", [.text(slot)], purpose: purpose)
    }
  }

  private static let notCapturing = "capture has not begun"
  private static let turned = "the application writes the new column"
  private static let held = "held by "
  private static let map = "the map "
  private static let text = "unfit: "
  private static let windows = "backfill.windows: "

  private static func explained(_ error: PostgresError, _ slot: String) -> MigrationError {
    guard case .unexpected(purpose: "backfill", let what) = error else { return .postgres(error) }
    if what == notCapturing {
      return .notReady(
        what:
          "slot \(slot) has no checkpoint: capture has not begun, and what changes during a backfill would be lost",
        hint: "start `crossfade run` first and leave it running")
    }
    if what.hasPrefix(turned) { return .notReady(what: "no backfill: " + what, hint: Direction.refusalHint) }
    if what.hasPrefix(held) {
      return .notReady(
        what: "the backfill of slot \(slot) is already running: \(what.dropFirst(held.count))",
        hint: "wait for it, or stop it; `crossfade backfill SLOT status` asks it how it stands")
    }
    if what.hasPrefix(windows) {
      return .notReady(
        what: what, hint: "SELECT name FROM pg_timezone_names lists those that the server knows")
    }
    if what.hasPrefix(text) {
      return .notReady(
        what: String(what.dropFirst(text.count)), hint: "`crossfade check SLOT` says what to change it to")
    }
    if what.hasPrefix(map) {
      return .notReady(
        what: what, hint: "mend the map table: each status once, each with an id; see `crossfade check`")
    }
    return .postgres(error)
  }

  private func open() throws(PostgresError) -> BackfillWork {
    let write = definition.write
    let connection = try Connection(
      definition.source.revealed,
      options: .init(
        applicationName: "crossfade backfill \(definition.slot)",
        settings: [
          ("lock_timeout", "\(definition.backfill.lockTimeout.count)"),
          ("statement_timeout", "\(write.statementTimeout.count)"),
          ("synchronous_commit", write.synchronousCommit.rawValue), ("search_path", "pg_catalog"),
        ] + Self.planSettings), interrupt: interrupt)
    let lock = BackfillLock(slot: definition.slot)
    guard try lock.take(on: connection) else {
      let holder = try lock.holder(on: connection)
      throw .unexpected(
        purpose: "backfill", what: Self.held + (holder?.text ?? "a session that has just gone"))
    }
    if let refusal = try Direction.load(slot: definition.slot, on: connection).refusalToDerive {
      throw .unexpected(
        purpose: "backfill", what: refusal)
    }
    let derive = definition.derive
    if let found = try StreamedText.ask(
      derive.from.name, of: derive.table.name.name, schema: derive.table.schema.name, on: connection)
    {
      throw .unexpected(
        purpose: "backfill",
        what: "\(Self.text)\(derive.from) of \(derive.table) \(found.text.danger(found.type))")
    }
    guard try Checkpoint.load(slot: definition.slot, on: connection) != nil else {
      throw .unexpected(purpose: "backfill", what: Self.notCapturing)
    }
    let problems = try MapTable.load(definition.derive.map, on: connection).problems
    if let problem = problems.first {
      throw .unexpected(
        purpose: "backfill", what: "\(Self.map)\(definition.derive.map.table) is unfit: \(problem)")
    }
    try checkZones(connection)
    try BackfillProgress.ensure(on: connection)
    watch.adopt(try WishTable.load(slot: definition.slot, on: connection))
    try TriggerPolicy(definition: definition, logger: logger).set(on: connection)
    return BackfillWork(
      session: try BackfillSession(definition: definition, connection: connection),
      pid: connection.backendPID, definition: definition, watch: watch, interrupt: interrupt, logger: logger)
  }

  /// Windows are judged by the server's clock and its time zones.
  private func checkZones(_ connection: Connection) throws(PostgresError) {
    for zone in Set(definition.backfill.windows.map(\.zone)) {
      do throws(PostgresError) {
        try connection.query(
          "SELECT clock_timestamp() AT TIME ZONE $1::text", [.text(zone)], purpose: "look up a time zone")
      } catch {
        guard case .server(let cause) = error, cause.sqlState.category == "22" else { throw error }
        throw .unexpected(purpose: "backfill", what: Self.windows + cause.message)
      }
    }
  }

  /// Settings under which the statements have only the plans they were written for: the range by the key's index, the map
  /// hashed.
  static let planSettings: [(name: String, value: String)] = [
    ("plan_cache_mode", "force_generic_plan"), ("enable_nestloop", "off"), ("enable_mergejoin", "off"),
    ("enable_seqscan", "off"), ("enable_bitmapscan", "off"), ("jit", "off"),
    ("max_parallel_workers_per_gather", "0"),
  ]
}
