import Derivation

/// The statements of the standing `both`, as text. `t` is the ledger's row, `m` the map's.
struct CourseSQL {
  let sql: DerivationSQL
  /// The columns' types, without length.
  let fromType: String
  let toType: String

  private var derive: SlotDefinition.Derive { sql.derive }
  private var to: String { "t.\(derive.to.quoted)" }
  private var from: String { "t.\(derive.from.quoted)" }
  private var table: String { derive.table.quoted }

  private var keys: KeySQL { sql.keys }

  /// The old value of the row `t`, from the map as it stands.
  private var original: String {
    let map = derive.map
    return
      "(SELECT m.\(map.status.quoted)::text FROM \(map.table.quoted) AS m WHERE m.\(map.id.quoted) = \(to))"
  }

  /// Whether the map has the state of the row `t`.
  private var isKnown: String {
    "EXISTS (SELECT FROM \(derive.map.table.quoted) AS m WHERE m.\(derive.map.id.quoted) = \(to))"
  }

  /// Whether the map knows what is to be written: forward where `k.forward`, else back.
  private var canBeWritten: String {
    "CASE WHEN k.forward THEN \(sql.derived) IS NOT NULL ELSE \(isKnown) END"
  }

  /// Writes what is intended to the rows of the keys in `$1`, ..., each only in the version (`xmin`) that the array after them names, and
  /// only where the pair does not agree and the map knows what is to be written.
  ///
  /// A row whose lock was waited for is looked at again in its new version (EvalPlanQual), which then does not match. The keys are sorted
  /// as in `DerivationSQL.applyKeys`.
  func write(_ way: Way) -> String {
    let (assignment, canWrite) =
      switch way {
      case .forward:
        ("\(derive.to.quoted) = CAST(\(sql.derived) AS \(toType))", "\(sql.derived) IS NOT NULL")
      case .reverse: ("\(derive.from.quoted) = CAST(\(original) AS \(fromType))", isKnown)
      }
    return """
      UPDATE \(table) AS t SET \(assignment)
        FROM (SELECT * FROM unnest(\(keys.arrays()), $\(keys.count + 1)::xid[]) AS u(\(keys.names), version) ORDER BY \(keys.order)) AS k
       WHERE \(keys.match()) AND t.xmin = k.version AND \(to) IS DISTINCT FROM \(sql.derived)
         AND \(canWrite)
      """
  }

  /// Looks which of the lines (keys in `$1`, ..., versions, directions, positions) are not done, and moves the checkpoint of the slot
  /// (next) to the last of the ends (next, with their transactions and changes) before what is not done there or anyway (next), if
  /// every transaction in the last array is visible. One snapshot sees both, and the WAL's position is read after it.
  ///
  /// Done is what this transaction wrote, and a row that agrees in the very version. A row comes back for each other line, without a
  /// version where nothing is to be written (`OpenRow`); or one row without a line; none when a transaction is not visible.
  var look: String {
    let next = keys.count + 1
    return """
      WITH open AS MATERIALIZED (
        SELECT k.n, k.position, CASE WHEN \(to) IS DISTINCT FROM \(sql.derived) AND t.tableoid IS NOT NULL THEN t.xmin::text END AS version,
               \(canBeWritten) AS can
          FROM (SELECT * FROM unnest(\(keys.arrays()), $\(next)::xid[], $\(next + 1)::boolean[], $\(next + 2)::pg_lsn[])
            WITH ORDINALITY AS u(\(keys.names), version, forward, position, n) ORDER BY n) AS k
          LEFT JOIN \(table) AS t ON \(keys.match())
         WHERE t.tableoid IS NULL OR \(to) IS DISTINCT FROM \(sql.derived)
            OR (t.xmin::text <> k.version::text AND t.xmin::text <> pg_catalog.pg_current_xact_id()::xid::text)),
      \(Self.advance(from: next + 3, open: "(SELECT min(o.position) FROM open AS o)"))
      SELECT a.horizon, a.quarantined, a.asked, a.end_lsn, pg_catalog.pg_current_wal_insert_lsn(),
             o.n, o.version, o.can
        FROM advanced AS a LEFT JOIN open AS o ON true ORDER BY o.n
      """
  }

  /// As `look`, with nothing to look at: at rest.
  static let pass = """
    WITH \(advance(from: 1, open: "NULL::pg_lsn"))
    SELECT a.horizon, a.quarantined, a.asked, a.end_lsn, pg_catalog.pg_current_wal_insert_lsn(), NULL, NULL, NULL
      FROM advanced AS a
    """

  /// `$first` is the slot, then come ends, transactions, changes, the position that is open anyway, and the transactions' numbers.
  private static func advance(from first: Int, open: String) -> String {
    let slot = "$\(first)"
    // The expressions for direction and horizon name the slot `$1`.
    let asked = Direction.asked.replacing("$1", with: slot)
    return """
      now AS MATERIALIZED (SELECT pg_catalog.pg_current_snapshot() AS s),
      bounds AS (SELECT s, pg_catalog.pg_snapshot_xmax(s)::text::bigint AS xmax FROM now),
      passed AS (
        SELECT max(p.end_lsn) AS end_lsn, coalesce(sum(p.transactions), 0) AS transactions, coalesce(sum(p.changes), 0) AS changes
          FROM unnest($\(first + 1)::pg_lsn[], $\(first + 2)::bigint[], $\(first + 3)::bigint[]) AS p(end_lsn, transactions, changes)
         WHERE p.end_lsn < ALL (ARRAY(SELECT o FROM (VALUES (\(open)), ($\(first + 4)::pg_lsn)) AS v(o) WHERE o IS NOT NULL))),
      advanced AS (
        UPDATE crossfade.checkpoint AS c
           SET end_lsn = coalesce(p.end_lsn, c.end_lsn), transactions = c.transactions + p.transactions,
               changes = c.changes + p.changes, batches = c.batches + 1, applied_at = clock_timestamp()
          FROM bounds AS b, passed AS p
         WHERE c.slot = \(slot) AND NOT EXISTS (
           SELECT FROM unnest($\(first + 5)::bigint[]) AS x
            WHERE NOT pg_catalog.pg_visible_in_snapshot(
              \(Checkpoint.completed), b.s))
        RETURNING c.end_lsn, pg_catalog.pg_snapshot_xmin(b.s)::text::bigint & 4294967295 AS horizon,
                  EXISTS (SELECT FROM crossfade.quarantine AS q WHERE q.slot = \(slot)) AS quarantined, \(asked) AS asked)
      """
  }
}
