import Derivation
import DualWrite
import Logging
import PGOutput
import Postgres

/// Looks at the signals and at what operators want, on a session and a thread of its own: a batch that hangs hides nothing.
struct SignalSampler {
  let definition: SlotDefinition
  let watch: BackfillWatch
  let interrupt: Interrupt
  let logger: Logger

  /// Milliseconds between two looks.
  static let interval = 250
  /// A batch that is under way so long when the backfill is paused is cancelled: it is done again later.
  static let patience = 2_000.0

  /// Looks again and again, until the interrupt is stopped.
  func run() {
    var waits = Backoff(firstMilliseconds: 200, lastMilliseconds: 5000)
    while !interrupt.isStopped {
      do throws(PostgresError) {
        let connection = try open()
        waits.succeeded()
        try looks(connection)
      } catch {
        guard !interrupt.isStopped else { return }
        watch.trouble("\(error)")
        logger.warning("the signals cannot be looked at", metadata: ["error": "\(error)"])
        interrupt.wait(milliseconds: waits.next())
      }
    }
  }

  private func open() throws(PostgresError) -> Connection {
    try Connection(
      definition.source.revealed,
      options: .init(
        applicationName: "crossfade signals \(definition.slot)",
        settings: [
          ("search_path", "pg_catalog"), ("statement_timeout", "5000"), ("lock_timeout", "1000"),
        ]), interrupt: interrupt)
  }

  private func looks(_ connection: Connection) throws(PostgresError) {
    let sql = SignalSQL(definition: definition)
    try connection.prepare("signals", sql.text, purpose: "prepare the signals")
    var last: (position: LSN, at: Double)?
    while !interrupt.isStopped {
      try control(connection)
      last = try look(connection, sql, last)
      try cancelWhenPaused(connection)
      interrupt.wait(milliseconds: Self.interval)
    }
  }

  /// What is wanted is written down first; then what stands written counts.
  private func control(_ connection: Connection) throws(PostgresError) {
    while let wanted = watch.wanted {
      try WishTable.write(wanted.command, slot: definition.slot, by: wanted.by, on: connection)
      watch.written()
    }
    watch.adopt(try WishTable.load(slot: definition.slot, on: connection))
  }

  private func cancelWhenPaused(_ connection: Connection) throws(PostgresError) {
    guard watch.view(position: .invalid).control.isPaused, let batch = watch.batch,
      batch.milliseconds > Self.patience
    else { return }
    try connection.query(
      "SELECT pg_catalog.pg_cancel_backend($1::integer)", [.integer(batch.pid)],
      purpose: "cancel the batch under way, for the pause")
  }

  private func look(
    _ connection: Connection, _ sql: SignalSQL, _ last: (position: LSN, at: Double)?
  ) throws(PostgresError) -> (position: LSN, at: Double) {
    let purpose = "look at the signals"
    let parameters: [Parameter] =
      [.text(definition.slot), .text(definition.derive.table.quoted)] + sql.zones.map { .text($0) }
    try connection.startPipeline([PipelineStatement("signals", parameters)], purpose: purpose)
    guard let row = try connection.finishPipeline(purpose: purpose).first,
      let position = row[0, 0].flatMap({ LSN($0) })
    else { throw .unexpected(purpose: purpose, what: "no WAL position") }
    let standbys = sql.asksStandbys ? try standbys(connection) : nil
    let own = try queries(connection)
    let dualWrite = try dualWriteLag(connection)
    let now = BackfillWatch.now
    let isSeeing = row.boolean(0, 1)
    let values = sql.columns.enumerated().map { index, signal -> (String, SignalBoard.Reading) in
      if SignalSQL.needsSight(signal), !isSeeing {
        return (signal.rawValue, .unknown("this role may not see it: GRANT pg_read_all_stats TO it"))
      }
      let value = row[0, index + 2].flatMap(Double.init)
      return (signal.rawValue, value.map { .value($0) } ?? .absent(SignalSQL.absence(signal)))
    }
    watch.look(
      { board, replicas in
        for (name, reading) in values + own { board.record(name, reading, at: now, position: position) }
        if let standbys {
          let (lag, bytes) = replicas.look(standbys, position: position, at: now)
          board.record(SlotDefinition.Signal.replicaLag.rawValue, lag, at: now, position: position)
          board.record(SlotDefinition.Signal.replicaBytes.rawValue, bytes, at: now, position: position)
        }
        if let dualWrite {
          board.record(SlotDefinition.Signal.dualWriteLag.rawValue, dualWrite, at: now, position: position)
        }
        if let last, now > last.at {
          let rate = Double(position.bytes(since: last.position)) / (now - last.at) * 1000
          board.record(SlotDefinition.Signal.walRate.rawValue, .value(rate), at: now, position: position)
        }
      }, moments: Self.moments(row, first: 2 + sql.columns.count, sql.zones))
    return (position, now)
  }

  private func standbys(_ connection: Connection) throws(PostgresError) -> [ReplicaWatch.Standby] {
    let rows = try connection.query(SignalSQL.standbys, purpose: "look at the standbys")
    return (0..<rows.rowCount).map { row in
      ReplicaWatch.Standby(
        name: rows[row, 0] ?? "", replayed: rows.boolean(row, 3) ? rows[row, 1].flatMap { LSN($0) } : nil,
        measured: rows[row, 2].flatMap(Double.init))
    }
  }

  /// The questions of one's own, each by itself: one that fails says nothing of the others.
  private func queries(_ connection: Connection) throws(PostgresError) -> [(String, SignalBoard.Reading)] {
    var readings: [(String, SignalBoard.Reading)] = []
    for query in definition.backfill.signals.queries {
      do throws(PostgresError) {
        let result = try connection.transaction("BEGIN READ ONLY", purpose: "ask \(query.name)") {
          () throws(PostgresError) in
          try connection.query(query.sql, purpose: "ask \(query.name)")
        }
        readings.append((query.name, Self.reading(result)))
      } catch {
        guard case .server(let cause) = error, !error.isConnectionGone else { throw error }
        readings.append((query.name, .unknown("\(cause.message) (SQLSTATE \(cause.sqlState))")))
      }
    }
    if let path = definition.backfill.signals.flagFile {
      let isThere = FlagFile.exists(path)
      readings.append((SignalBoard.flagFile, .value(isThere ? 1 : 0, note: path)))
    }
    return readings
  }

  static func reading(_ result: QueryResult) -> SignalBoard.Reading {
    guard result.rowCount == 1, result.columnCount == 1, let text = result[0, 0] else {
      return .unknown("it gave no value")
    }
    if text == "t" || text == "f" { return .value(text == "t" ? 1 : 0) }
    return Double(text).map { .value($0) } ?? .unknown("it gave no number and no truth")
  }

  private func dualWriteLag(_ connection: Connection) throws(PostgresError) -> SignalBoard.Reading? {
    guard definition.backfill.signals.limits[.dualWriteLag] != nil else { return nil }
    let checkpoint = try Checkpoint.load(slot: definition.slot, on: connection)
    let log = LogStanding.look(directory: definition.log.directory, applied: checkpoint?.endLSN)
    if let trouble = log.trouble { return .unknown(trouble) }
    guard log.summary != nil else { return .unknown("there is no log in \(definition.log.directory)") }
    guard let oldest = log.oldestUnapplied else { return .value(0) }
    return .value(max(0, WallClock.unixMilliseconds - Double(oldest.unixMicroseconds) / 1000))
  }

  private static func moments(
    _ row: QueryResult, first: Int, _ zones: [String]
  ) -> [String: BackfillWatch.Moment] {
    var moments: [String: BackfillWatch.Moment] = [:]
    for (index, zone) in zones.enumerated() {
      let parts = (row[0, first + index] ?? "").split(separator: " ").compactMap { Int($0) }
      if parts.count == 2 { moments[zone] = BackfillWatch.Moment(day: parts[0], minute: parts[1]) }
    }
    return moments
  }
}
