public import PGOutput
public import Postgres

/// A row whose new value could not be derived.
public struct QuarantinedRow: Sendable, Equatable {
  /// The key's columns as text, in the definition's order.
  public var key: String
  /// The status; nil for NULL, and where an error of the server keeps the row here.
  public var status: String?
  /// Why it is here.
  public var reason: String
  /// The transaction that brought it; nil when the backfill found it.
  public var position: LSN?
  /// When it was first seen, as the server writes it.
  public var firstSeen: String
  /// When it was last seen.
  public var lastSeen: String
}

/// What is in quarantine.
public enum Quarantine {
  /// How many rows of a slot.
  public static func count(slot: String, on connection: Connection) throws(PostgresError) -> Int64 {
    guard try ControlSchema.exists(on: connection) else { return 0 }
    return try connection.query(
      "SELECT count(*) FROM crossfade.quarantine WHERE slot = $1", [.text(slot)],
      purpose: "count the quarantine"
    ).integer(0, 0) ?? 0
  }

  /// The rows of a slot, the first seen first.
  public static func list(
    slot: String, limit: Int, on connection: Connection
  ) throws(PostgresError) -> [QuarantinedRow] {
    guard try ControlSchema.exists(on: connection) else { return [] }
    let rows = try connection.query(
      """
      SELECT q.key::text, q.status, q.reason, q.position, q.first_seen, q.last_seen FROM crossfade.quarantine AS q
       WHERE q.slot = $1 ORDER BY q.first_seen, q.key LIMIT $2::bigint
      """, [.text(slot), .integer(max(0, limit))], purpose: "read the quarantine")
    return (0..<rows.rowCount).map { row in
      QuarantinedRow(
        key: rows[row, 0] ?? "", status: rows[row, 1], reason: rows[row, 2] ?? "",
        position: rows[row, 3].flatMap { LSN($0) }, firstSeen: rows[row, 4] ?? "",
        lastSeen: rows[row, 5] ?? "")
    }
  }
}
