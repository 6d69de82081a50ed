public import Derivation
public import DualWrite
public import PGOutput
public import Postgres

/// Where a slot stands, as the servers tell it.
public struct ServerStanding: Sendable {
  /// The server's WAL now.
  public var current: LSN
  /// The slot; nil when there is none.
  public var slot: ReplicationSlot?
  /// Who reads the slot now; nil when nobody does.
  public var sender: Sender?
  /// The checkpoint; nil before the first.
  public var checkpoint: Checkpoint?
  /// Seconds since the checkpoint moved.
  public var checkpointAge: Double?
  /// The rows in quarantine.
  public var quarantined: Int64
  /// The first of them.
  public var firstQuarantined: [QuarantinedRow]
  /// How many there are of each cause, and what to do about them.
  public var quarantineCauses: [QuarantineCount] = []
  /// The backfill; nil when none has begun.
  public var backfill: BackfillProgress?
  /// Which share of the reads is told to use the new column; nil where nobody ever turned it.
  public var reads: ReadsFlag?
  /// Which column is derived from which.
  public var direction = Direction()
  /// What a command has begun and nobody goes on with.
  public var brokenOff: BrokenOff?
  /// How the application writes.
  public var writers = WriterCounts()

  /// A walsender's row of `pg_stat_replication`. Lags are in seconds, nil when the server measures none.
  public struct Sender: Sendable, Equatable {
    /// `application_name` of its client.
    public var application: String
    /// How far it has sent.
    public var sent: LSN?
    /// What its client has received.
    public var written: LSN?
    /// What its client has made durable.
    public var flushed: LSN?
    /// The time from the server's flush to the client's receipt.
    public var writeLag: Double?
    /// The time from the server's flush to the client's.
    public var flushLag: Double?
  }

  /// Asks for all of it. What is not there yet (control schema, slot) is nil or empty.
  public static func ask(
    _ definition: SlotDefinition, on connection: Connection
  ) throws(PostgresError) -> ServerStanding {
    let purpose = "look up where slot \(definition.slot) stands"
    let rows = try connection.query(
      """
      SELECT CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END,
             r.application_name, r.sent_lsn, r.write_lsn, r.flush_lsn, extract(epoch FROM r.write_lag),
             extract(epoch FROM r.flush_lag), r.pid IS NOT NULL
        FROM (VALUES (1)) AS one LEFT JOIN (pg_replication_slots AS s JOIN pg_stat_replication AS r
             ON r.pid = s.active_pid) ON s.slot_name = $1
      """, [.text(definition.slot)], purpose: purpose)
    guard let current = rows[0, 0].flatMap({ LSN($0) }) else {
      throw .unexpected(purpose: purpose, what: "no WAL position")
    }
    let sender = Sender(
      application: rows[0, 1] ?? "", sent: rows[0, 2].flatMap { LSN($0) },
      written: rows[0, 3].flatMap { LSN($0) },
      flushed: rows[0, 4].flatMap { LSN($0) }, writeLag: rows[0, 5].flatMap(Double.init),
      flushLag: rows[0, 6].flatMap(Double.init))
    let checkpoint = try Checkpoint.load(slot: definition.slot, on: connection)
    let reads = try ReadsFlag.load(slot: definition.slot, on: connection)
    return ServerStanding(
      current: current, slot: try ReplicationSlot.find(definition.slot, on: connection),
      sender: rows.boolean(0, 7) ? sender : nil, checkpoint: checkpoint,
      checkpointAge: checkpoint == nil ? nil : try age(definition.slot, connection),
      quarantined: try Quarantine.count(slot: definition.slot, on: connection),
      firstQuarantined: try Quarantine.list(slot: definition.slot, limit: 3, on: connection),
      quarantineCauses: try Quarantine.causes(definition.derive, slot: definition.slot, on: connection),
      backfill: try BackfillProgress.load(slot: definition.slot, on: connection),
      reads: reads.since == nil ? nil : reads,
      direction: try Direction.load(slot: definition.slot, on: connection),
      brokenOff: try BrokenOff.find(definition, on: connection),
      writers: try WriterCounts.load(slot: definition.slot, on: connection))
  }

  /// Seconds since the checkpoint moved.
  static func age(_ slot: String, _ connection: Connection) throws(PostgresError) -> Double? {
    try connection.query(
      "SELECT extract(epoch FROM clock_timestamp() - applied_at) FROM crossfade.checkpoint WHERE slot = $1",
      [.text(slot)], purpose: "look up the checkpoint's age")[0, 0].flatMap(Double.init)
  }

  /// Bytes of WAL the server keeps for the slot.
  public var retained: UInt64? { slot?.restartLSN.map { current.bytes(since: $0) } }
}
