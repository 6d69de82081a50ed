public import ChangeLog
public import PGOutput
public import Postgres

/// Up to which commit a slot is applied, and of which origin. A row of `crossfade.checkpoint`.
public struct Checkpoint: Sendable, Equatable {
  /// `Commit.end_lsn` of the last transaction applied.
  public var endLSN: LSN
  /// Whose position it is.
  public var origin: OriginIdentity
  /// Transactions applied since the slot's start.
  public var transactions: Int64
  /// Row changes applied since the slot's start.
  public var changes: Int64
  /// The format of the row.
  public var format: Int

  /// The checkpoint of a slot, nil when there is none.
  public static func load(slot: String, on connection: Connection) throws(PostgresError) -> Checkpoint? {
    guard try ControlSchema.exists(on: connection) else { return nil }
    let purpose = "read the checkpoint of slot \(slot)"
    let rows = try connection.query(
      """
      SELECT end_lsn, system_identifier, timeline, database_oid, creation_point, transactions, changes, format
        FROM crossfade.checkpoint WHERE slot = $1
      """, [.text(slot)], purpose: purpose)
    guard rows.rowCount == 1 else { return nil }
    guard let end = rows[0, 0].flatMap({ LSN($0) }), let system = rows[0, 1].flatMap({ UInt64($0) }),
      let timeline = rows[0, 2].flatMap({ UInt32($0) }), let oid = rows[0, 3].flatMap({ UInt32($0) }),
      let creation = rows[0, 4].flatMap({ LSN($0) })
    else { throw .unexpected(purpose: purpose, what: "a row that does not read as a checkpoint") }
    return Checkpoint(
      endLSN: end,
      origin: OriginIdentity(
        systemIdentifier: system, timeline: timeline, databaseOID: oid, slot: slot, creationPoint: creation),
      transactions: rows.integer(0, 5) ?? 0, changes: rows.integer(0, 6) ?? 0,
      format: rows.integer(0, 7).map { Int($0) } ?? ControlSchema.version)
  }

  /// Writes the first checkpoint of a slot, where there is none.
  static func create(
    endLSN: LSN, origin: OriginIdentity, on connection: Connection
  ) throws(PostgresError) {
    try connection.query(
      """
      INSERT INTO crossfade.checkpoint (slot, end_lsn, system_identifier, timeline, database_oid, creation_point)
      VALUES ($1, $2::pg_lsn, $3::numeric, $4::bigint, $5::oid, $6::pg_lsn) ON CONFLICT (slot) DO NOTHING
      """,
      [
        .text(origin.slot), .text("\(endLSN)"), .integer(origin.systemIdentifier), .integer(origin.timeline),
        .integer(origin.databaseOID), .text("\(origin.creationPoint)"),
      ], purpose: "write the first checkpoint of slot \(origin.slot)")
  }

  /// The 64-bit number of transaction `x`, as seen from the snapshot `b`.
  static let completed =
    "(b.xmax + (((x - (b.xmax & 4294967295) + 2147483648) & 4294967295) - 2147483648))::text::xid8"

  /// Moves the checkpoint of `$1` to `$2`, adding `$3` transactions and `$4` changes, if every transaction in `$5`
  /// (32-bit numbers) is visible; no row comes back when one is not.
  ///
  /// The stream can deliver a change before the writer's commit is visible, for as long as a synchronous standby
  /// keeps it waiting. This statement comes first in the pipeline: the snapshots of those after it see at least as
  /// much, so a key that then matches no row has none. A number is completed to 64 bits by its distance from the
  /// snapshot's xmax, which never exceeds 2^31 (`transam/varsup.c`).
  static let advance = """
    WITH now AS MATERIALIZED (SELECT pg_catalog.pg_current_snapshot() AS s),
    bounds AS (SELECT s, pg_catalog.pg_snapshot_xmax(s)::text::bigint AS xmax FROM now)
    UPDATE crossfade.checkpoint AS c
       SET end_lsn = $2::pg_lsn, transactions = c.transactions + $3::bigint, changes = c.changes + $4::bigint,
           batches = c.batches + 1, applied_at = clock_timestamp()
      FROM bounds AS b
     WHERE c.slot = $1 AND NOT EXISTS (
       SELECT FROM unnest($5::bigint[]) AS x
        WHERE NOT pg_catalog.pg_visible_in_snapshot(
          \(completed), b.s))
    RETURNING pg_catalog.pg_snapshot_xmin(b.s)::text::bigint & 4294967295,
              EXISTS (SELECT FROM crossfade.quarantine AS q WHERE q.slot = $1), \(Direction.asked)
    """

  /// Which of the transactions in `$1` are not visible, for those who ask why nothing moves.
  static let unsettled = """
    WITH now AS MATERIALIZED (SELECT pg_catalog.pg_current_snapshot() AS s),
    bounds AS (SELECT s, pg_catalog.pg_snapshot_xmax(s)::text::bigint AS xmax FROM now)
    SELECT x FROM bounds AS b, unnest($1::bigint[]) AS x
     WHERE NOT pg_catalog.pg_visible_in_snapshot(
       \(completed), b.s)
     LIMIT 1
    """
}
