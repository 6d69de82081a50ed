import Derivation
import Postgres

/// The distinct statuses in the ledger, as far as they were looked at.
struct CoverageFacts: Equatable, Sendable {
  var statuses: Set<ExactText?>
  var extent: Extent

  enum Extent: Equatable, Sendable {
    /// Every row: by an index, or by reading the table.
    case whole
    /// The planner's statistics only: the look at the rows was cut after so many milliseconds.
    case statistics(afterMilliseconds: Int)
    /// More than so many distinct statuses.
    case tooMany(Int)
  }

  static let limit = 1000

  /// - Parameter stands: whether the map is that of the map table; otherwise it is the definition's, which `expand` will
  ///   put there.
  func findings(_ derive: SlotDefinition.Derive, map: StateMap, stands: Bool = true) -> [Finding] {
    let subject = "coverage"
    var findings = map.unmapped(among: statuses).map { problem -> Finding in
      guard case .unmapped(let status, _) = problem else { return .fail(subject, "\(problem)", fix: "") }
      let value = status.map { SQLText.literal($0.string) } ?? "NULL"
      let map = derive.map
      return .fail(
        subject, "\(problem): its rows go into quarantine",
        fix: !stands
          ? "add {id: ID, code: CODE, status: \(status.map { Self.yaml($0.string) } ?? "null")} to derive.map.states"
          : "INSERT INTO \(map.table.quoted) (\(map.id.quoted), \(map.code.quoted), \(map.status.quoted)) "
            + "VALUES (ID, 'CODE', \(value));  -- and list it in derive.map.states")
    }
    switch extent {
    case .whole:
      if findings.isEmpty {
        findings.append(
          .pass(
            subject,
            "all \(statuses.count) statuses in \(derive.table) are in the map"
              + (stands ? "" : " of the definition")))
      }
    case .statistics(let milliseconds):
      findings.append(
        .warn(
          subject,
          "only the planner's statistics were looked at (\(statuses.count) statuses): reading "
            + "\(derive.table) was cut after \(milliseconds) ms",
          fix: "crossfade check SLOT --scan 600  -- or CREATE INDEX CONCURRENTLY ON \(derive.table.quoted) "
            + "(\(derive.from.quoted)); to make it instant"))
    case .tooMany(let limit):
      findings.append(
        .warn(
          subject, "\(derive.from) has more than \(limit) distinct values: is it a status?",
          fix: "name the column that holds the status in derive.from"))
    }
    return findings
  }
}

extension CoverageFacts {
  /// A text in YAML's single quotes.
  private static func yaml(_ text: String) -> String { "'\(text.replacing("'", with: "''"))'" }

  /// Statistics first; then the index if there is one (a loose scan: one probe a distinct value), else the table, for as
  /// long as `limitMilliseconds`.
  static func ask(
    _ derive: SlotDefinition.Derive, hasIndex: Bool, limitMilliseconds: Int, _ connection: Connection
  ) throws(PostgresError) -> CoverageFacts {
    var statuses = try known(derive, connection)
    let found: QueryResult
    do throws(PostgresError) {
      try limit(limitMilliseconds, connection)
      found = try connection.query(
        hasIndex ? looseScan(derive) : scan(derive), purpose: "look at the statuses of \(derive.table)")
      try limit(nil, connection)
    } catch {
      guard error.sqlState == .queryCanceled else { throw error }
      try limit(nil, connection)
      return CoverageFacts(statuses: statuses, extent: .statistics(afterMilliseconds: limitMilliseconds))
    }
    guard found.rowCount <= Self.limit else {
      return CoverageFacts(statuses: [], extent: .tooMany(Self.limit))
    }
    // What the statistics remember may be gone: the rows decide.
    statuses = []
    for row in 0..<found.rowCount { statuses.insert(found[row, 0].map { ExactText($0) }) }
    return CoverageFacts(statuses: statuses, extent: .whole)
  }

  private static func limit(_ milliseconds: Int?, _ connection: Connection) throws(PostgresError) {
    try connection.query(
      milliseconds == nil
        ? "RESET statement_timeout" : "SELECT set_config('statement_timeout', '\(milliseconds ?? 0)', false)",
      purpose: "limit the look at the statuses")
  }

  private static func known(
    _ derive: SlotDefinition.Derive, _ connection: Connection
  ) throws(PostgresError) -> Set<ExactText?> {
    let rows = try connection.query(
      """
      SELECT to_json(most_common_vals::text::text[]), null_frac > 0 FROM pg_stats
       WHERE schemaname = $1 AND tablename = $2 AND attname = $3
      """, [.text(derive.table.schema.name), .text(derive.table.name.name), .text(derive.from.name)],
      purpose: "look up the statistics")
    var statuses: Set<ExactText?> = []
    for row in 0..<rows.rowCount {
      for value in rows[row, 0].flatMap(JSONStrings.parse) ?? [] { statuses.insert(ExactText(value)) }
      if rows.boolean(row, 1) { statuses.insert(nil) }
    }
    return statuses
  }

  private static func scan(_ derive: SlotDefinition.Derive) -> String {
    """
    SELECT s FROM (SELECT DISTINCT t.\(derive.from.quoted)::text COLLATE "C" AS s FROM \(derive.table.quoted) AS t) AS d
    LIMIT \(limit + 1)
    """
  }

  private static func looseScan(_ derive: SlotDefinition.Derive) -> String {
    let (table, from) = (derive.table.quoted, "t.\(derive.from.quoted)")
    return """
      WITH RECURSIVE d AS (
        (SELECT \(from) AS v FROM \(table) AS t WHERE \(from) IS NOT NULL ORDER BY \(from) LIMIT 1)
        UNION ALL
        SELECT (SELECT \(from) FROM \(table) AS t WHERE \(from) > d.v ORDER BY \(from) LIMIT 1) FROM d WHERE d.v IS NOT NULL)
      (SELECT v::text FROM d WHERE v IS NOT NULL LIMIT \(limit + 1))
      UNION ALL (SELECT NULL FROM \(table) AS t WHERE \(from) IS NULL LIMIT 1)
      """
  }
}
