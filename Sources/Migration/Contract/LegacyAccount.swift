public import PGOutput
public import Postgres

/// How the application writes, as the dual-write has counted it: `crossfade.legacy`, a line a kind of change and application.
public struct LegacyAccount: Sendable, Equatable {
  /// Which of the two columns a change moved.
  public enum Kind: String, Sendable, CaseIterable {
    /// The old column alone: a legacy write.
    case old
    /// The new column alone.
    case new
    /// Both, in step with one another.
    case both
    /// Neither.
    case other
    /// Both, and not in step.
    case conflict

    /// Whether it arrived with the new value missing, or not what the map makes of the old one.
    var isLegacy: Bool { self == .old || self == .conflict }
  }

  /// What is known of a kind and an application.
  public struct Line: Sendable, Equatable {
    /// Which column was moved.
    public var kind: Kind
    /// `application_name`; empty where the server does not tell.
    public var application: String
    /// Changes on this day, in UTC.
    public var today: Int64
    /// Changes in the last seven days, today among them.
    public var week: Int64
    /// All that were ever counted.
    public var total: Int64
    /// The transaction of the last one.
    public var lastPosition: LSN?
    /// When that committed, in seconds since 1970.
    public var lastAt: Double?
    /// The last keys, the latest first; of legacy and new writes.
    public var lastKeys: [String]

    /// Whether these are legacy writes: what the stream shows as such, and with a bridge, which brings every row into step,
    /// what it named an application for.
    public func isLegacy(bridged: Bool) -> Bool {
      kind.isLegacy || (bridged && kind == .both && !application.isEmpty)
    }

    /// A line from its parts.
    public init(
      _ kind: Kind, application: String = "", today: Int64 = 0, week: Int64 = 0, total: Int64 = 0,
      lastPosition: LSN? = nil, lastAt: Double? = nil, lastKeys: [String] = []
    ) {
      self.kind = kind
      self.application = application
      self.today = today
      self.week = week
      self.total = total
      self.lastPosition = lastPosition
      self.lastAt = lastAt
      self.lastKeys = lastKeys
    }
  }

  /// By kind, then by application.
  public var lines: [Line]

  /// An account from its lines.
  public init(_ lines: [Line] = []) { self.lines = lines }

  /// The last change of some kinds.
  public func last(where isWanted: (Line) -> Bool) -> Line? {
    lines.filter { isWanted($0) && $0.lastAt != nil }.max { ($0.lastAt ?? 0) < ($1.lastAt ?? 0) }
  }

  /// Changes of a kind, over a span.
  public func count(_ kind: Kind, _ span: (Line) -> Int64) -> Int64 {
    lines.filter { $0.kind == kind }.reduce(0) { $0 &+ span($1) }
  }

  /// The account of a slot; empty where nothing was ever counted.
  public static func load(slot: String, on connection: Connection) throws(PostgresError) -> LegacyAccount {
    let purpose = "read how the application writes"
    let isThere = try connection.query(
      "SELECT to_regclass('crossfade.legacy') IS NOT NULL", purpose: purpose)
    guard isThere.boolean(0, 0) else { return LegacyAccount() }
    let rows = try connection.query(
      """
      WITH now AS (SELECT (clock_timestamp() AT TIME ZONE 'UTC')::date AS day)
      SELECT l.kind, l.application, coalesce(sum(l.count) FILTER (WHERE l.day >= n.day), 0)::bigint,
             coalesce(sum(l.count) FILTER (WHERE l.day > n.day - 7), 0)::bigint, sum(l.count)::bigint,
             max(l.last_position), extract(epoch FROM max(l.last_at)),
             (SELECT json_agg(CASE jsonb_typeof(k.key) WHEN 'string' THEN k.key #>> '{}' WHEN 'array' THEN
                              (SELECT string_agg(e.part, ', ') FROM jsonb_array_elements_text(k.key) AS e (part))
                              ELSE k.key::text END)
                FROM jsonb_array_elements(
                  (array_agg(l.last_keys ORDER BY l.last_at DESC NULLS LAST, l.day DESC))[1]) AS k (key))::text
        FROM crossfade.legacy AS l, now AS n WHERE l.slot = $1 GROUP BY l.kind, l.application ORDER BY 1, 2
      """, [.text(slot)], purpose: purpose)
    return LegacyAccount(
      (0..<rows.rowCount).compactMap { row in
        guard let kind = rows[row, 0].flatMap({ Kind(rawValue: $0) }) else { return nil }
        return Line(
          kind, application: rows[row, 1] ?? "", today: rows.integer(row, 2) ?? 0,
          week: rows.integer(row, 3) ?? 0, total: rows.integer(row, 4) ?? 0,
          lastPosition: rows[row, 5].flatMap { LSN($0) }, lastAt: rows[row, 6].flatMap(Double.init),
          lastKeys: rows[row, 7].flatMap(JSONStrings.parse) ?? [])
      })
  }
}
