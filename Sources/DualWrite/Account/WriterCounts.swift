public import Postgres

/// How the application wrote so far, as the dual-write counted it (`crossfade.legacy`): all days and applications together.
public struct WriterCounts: Sendable, Equatable {
  /// Row changes of one kind.
  public struct Count: Sendable, Equatable {
    /// `old`, `new`, `both`, `other` or `conflict`.
    public var kind: String
    /// How many.
    public var count: Int64
    /// When the last of them committed, as the server writes it.
    public var lastAt: String?
  }

  /// Those that there are, in the order above.
  public var counts: [Count] = []

  /// Nothing counted.
  public init() {}

  /// The counts of a slot.
  public static func load(slot: String, on connection: Connection) throws(PostgresError) -> WriterCounts {
    let purpose = "read how the application writes"
    let isThere = try connection.query("SELECT to_regclass('crossfade.legacy') IS NOT NULL", purpose: purpose)
    var found = WriterCounts()
    guard isThere.boolean(0, 0) else { return found }
    let rows = try connection.query(
      """
      SELECT kind, sum(count), max(last_at)::text FROM crossfade.legacy WHERE slot = $1 GROUP BY kind
       ORDER BY array_position(ARRAY['old', 'new', 'both', 'other', 'conflict'], kind)
      """, [.text(slot)], purpose: purpose)
    found.counts = (0..<rows.rowCount).map { row in
      Count(kind: rows[row, 0] ?? "", count: rows.integer(row, 1) ?? 0, lastAt: rows[row, 2])
    }
    return found
  }
}
