import Postgres

extension Oracle {
  var totalsSQL: String {
    """
    SELECT count(*), count(*) FILTER (WHERE map.id IS NULL)
    FROM public.transactions AS t LEFT JOIN \(Self.map) ON map.status = \(status)
    """
  }

  /// A row's status, in whatever column it stands.
  private var status: String {
    guard case .successor(let column) = scope else { return "t.status" }
    return
      "(SELECT m.status FROM \(Self.map.replacing("AS map", with: "AS m")) WHERE m.id = t.\(SQLText.identifier(column)))"
  }

  /// The last entry of each transaction against the row as it stands.
  var truthSQL: String {
    Self.findings(
      """
      SELECT coalesce(t.id, truth.transaction_id) AS id,
        CASE
          WHEN truth.transaction_id IS NULL THEN '\(OracleCheck.rowUnaudited.rawValue)'
          WHEN t.id IS NULL AND truth.op <> 'delete' THEN '\(OracleCheck.rowLost.rawValue)'
          WHEN t.id IS NOT NULL AND truth.op = 'delete' THEN '\(OracleCheck.rowUndeleted.rawValue)'
          WHEN t.id IS NOT NULL AND \(status) IS DISTINCT FROM truth.status
            THEN '\(OracleCheck.statusDiffers.rawValue)'
        END AS finding
      FROM public.transactions AS t FULL JOIN (
        SELECT DISTINCT ON (transaction_id) transaction_id, status, op
        FROM public.ledger_audit ORDER BY transaction_id, seq DESC
      ) AS truth ON truth.transaction_id = t.id
      """)
  }

  /// A row can fail two checks: an orphaned state is a wrong one too.
  static func derivedSQL(_ column: String, _ states: String) -> String {
    let column = "t.\(SQLText.identifier(column))"
    return findings(
      """
      SELECT t.id, checked.finding
      FROM public.transactions AS t
        LEFT JOIN \(map) ON map.status = t.status
        LEFT JOIN \(states) AS state ON state.id = \(column)
        CROSS JOIN LATERAL (VALUES
          (CASE
            WHEN \(column) IS NOT DISTINCT FROM map.id THEN NULL
            WHEN \(column) IS NULL THEN '\(OracleCheck.incomplete.rawValue)'
            ELSE '\(OracleCheck.incorrect.rawValue)'
          END),
          (CASE WHEN \(column) IS NOT NULL AND state.id IS NULL THEN '\(OracleCheck.orphaned.rawValue)' END)
        ) AS checked (finding)
      """)
  }

  private static let map: String = {
    let rows = LegacyStatus.allCases.map { "(\($0.rawValue)::bigint, \(SQLText.literal($0.text)))" }
    return "(VALUES \(rows.joined(separator: ", "))) AS map (id, status)"
  }()

  /// Counts findings and keeps the lowest ten keys of each.
  private static func findings(_ select: String) -> String {
    """
    SELECT finding, count(*), string_agg(id::text, ',' ORDER BY id) FILTER (WHERE place <= 10)
    FROM (
      SELECT id, finding, row_number() OVER (PARTITION BY finding ORDER BY id) AS place
      FROM (
    \(select)
      ) AS checked WHERE finding IS NOT NULL
    ) AS placed GROUP BY finding
    """
  }
}
