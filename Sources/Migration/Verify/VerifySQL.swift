import Derivation
import DualWrite

/// The statements of a verification. None of them locks a row, or writes.
///
/// Each tells where the WAL stands, read after its rows: a function in the select list is evaluated when the statement
/// has its snapshot. What the snapshot sees was inserted into the WAL before, though perhaps not written yet
/// (`synchronous_commit = off`): hence the insert position. On a standby a commit can be seen before the replay position
/// has moved past it, but not before it was received.
struct VerifySQL {
  let derive: SlotDefinition.Derive
  let keyTypes: [String]
  /// The slot whose quarantine is looked up; nil where it may not be read.
  let slot: String?
  /// Whether the role may read `xmin`, which a grant of columns does not include.
  let readsVersions: Bool

  static let position = """
    CASE WHEN pg_catalog.pg_is_in_recovery()
         THEN greatest(pg_catalog.pg_last_wal_receive_lsn(), pg_catalog.pg_last_wal_replay_lsn())
         ELSE pg_catalog.pg_current_wal_insert_lsn() END
    """

  private var derived: String { DerivationSQL(derive, keyTypes: keyTypes).derived }
  private var table: String { "\(derive.table.quoted) AS t" }
  private var to: String { "t.\(derive.to.quoted)" }
  private var keys: String { derive.key.map { "t.\($0.quoted)" }.joined(separator: ", ") }
  private var keyJSON: String {
    "pg_catalog.jsonb_build_array(\(derive.key.map { "t.\($0.quoted)::text" }.joined(separator: ", ")))"
  }

  /// Which version of the row it is. The values stand in for it where need be: a row that goes to and fro between the same
  /// two states, each time looked at in the same step, would then be taken for one that stays wrong.
  private var version: String {
    readsVersions
      ? "t.xmin::text"
      : "pg_catalog.md5(pg_catalog.jsonb_build_array(t.\(derive.from.quoted)::text, \(to)::text)::text)"
  }

  /// A row is wrong when it differs from what the map gives, or has nothing at all.
  private var wrong: String { "(\(to) IS DISTINCT FROM \(derived) OR \(to) IS NULL)" }

  private func values(from first: Int) -> String {
    keyTypes.indices.map { "$\(first + $0)::\(keyTypes[$0])" }.joined(separator: ", ")
  }

  /// How many rows, the position, and those that look wrong, as JSON; of the ledger's rows and `mapped`.
  ///
  /// The map is joined: a hash of it costs a quarter of a subquery a row. No row is waited for here, so nothing is
  /// evaluated twice, and a status has one row in the map.
  private var look: String {
    let map = derive.map
    let expected = """
      CASE WHEN t.\(derive.from.quoted) IS NULL
      THEN (SELECT n.\(map.id.quoted) FROM \(map.table.quoted) AS n WHERE n.\(map.status.quoted) IS NULL)
      ELSE m.\(map.id.quoted) END
      """
    return """
      SELECT count(*), \(Self.position),
             json_agg(json_build_array(\(keyJSON)::text, \(version)))
               FILTER (WHERE \(to) IS DISTINCT FROM \(expected) OR \(to) IS NULL)
      """
  }

  private var mapped: String {
    let map = derive.map
    return "LEFT JOIN \(map.table.quoted) AS m "
      + "ON m.\(map.status.quoted)::text COLLATE \"C\" = t.\(derive.from.quoted)::text"
  }

  /// The last key there is.
  var last: String {
    // Qualified: a bare name in ORDER BY would mean the output column, which is text and sorts as text.
    let descending = derive.key.map { "t.\($0.quoted) DESC" }.joined(separator: ", ")
    let text = derive.key.map { "t.\($0.quoted)::text" }.joined(separator: ", ")
    return "SELECT \(text) FROM \(table) ORDER BY \(descending) LIMIT 1"
  }

  /// The last key of the next `$1` rows up to the bound, and how many there are. Keys are compared as rows and in the
  /// columns' own collations, so that one range of the key's index serves.
  func pageEnd(after: Bool) -> String {
    let beyond = after ? " AND (\(keys)) > (\(values(from: 2 + keyTypes.count)))" : ""
    let names = derive.key.map(\.quoted)
    let text = names.map { "p.\($0)::text" }.joined(separator: ", ")
    let descending = names.map { "p.\($0) DESC" }.joined(separator: ", ")
    return """
      SELECT \(text), count(*) OVER () FROM (
        SELECT \(keys) FROM \(table) WHERE (\(keys)) <= (\(values(from: 2)))\(beyond)
        ORDER BY \(keys) LIMIT $1::bigint) AS p ORDER BY \(descending) LIMIT 1
      """
  }

  /// A look at the rows up to a key, and beyond another in the parameters that follow.
  func page(after: Bool) -> String {
    let beyond = after ? " AND (\(keys)) > (\(values(from: 1 + keyTypes.count)))" : ""
    return "\(look)\n  FROM \(table) \(mapped)\n WHERE (\(keys)) <= (\(values(from: 1)))\(beyond)"
  }

  /// Keys of a row (a JSON array of JSON arrays, as texts) as a table `k`, joined to the ledger's.
  private var byKey: String {
    let match = zip(derive.key.indices, derive.key).map { index, key in
      "t.\(key.quoted) = (k.k ->> \(index))::\(keyTypes[index])"
    }.joined(separator: " AND ")
    return """
      (SELECT value::jsonb AS k FROM pg_catalog.json_array_elements_text($1::json)) AS k
        JOIN \(table) ON \(match)
      """
  }

  /// A look at the rows of the keys in `$1`.
  var keyed: String { "\(look)\n  FROM \(byKey) \(mapped)" }

  /// A look at the places in `$2` of the partition, or table, `$1`.
  var places: String {
    "\(look)\n  FROM \(table) \(mapped) WHERE t.tableoid = $1::oid AND t.ctid = ANY ($2::tid[])"
  }

  /// Those rows of the keys in `$1` that are wrong: key, version, old and new value, class. Long texts are cut.
  var again: String {
    let map = derive.map
    let listed =
      slot == nil
      ? "true"
      : "EXISTS (SELECT FROM crossfade.quarantine AS q WHERE q.slot = $2 AND q.key = \(keyJSON))"
    return """
      SELECT \(keyJSON)::text, \(version),
             pg_catalog.left(t.\(derive.from.quoted)::text, 1000), \(to)::text,
             CASE WHEN \(derived) IS NULL AND \(to) IS NULL
                  THEN CASE WHEN \(listed) THEN 'unmapped' ELSE 'unlisted' END
                  WHEN \(to) IS NULL THEN 'incomplete'
                  WHEN NOT EXISTS (SELECT FROM \(map.table.quoted) AS o WHERE o.\(map.id.quoted) = \(to)) THEN 'orphan'
                  ELSE 'incorrect' END
        FROM \(byKey) WHERE \(wrong)
      """
  }

  /// Rows of slot `$1` in quarantine, after the key `$2`, `$3` of them at most: key, last seen, and whether the ledger's
  /// row has the value that the map gives, or is gone; then the position. With the keys in `$2` instead: `staleAgain`.
  var quarantine: String {
    "\(stale) WHERE q.slot = $1 AND ($2::jsonb IS NULL OR q.key > $2::jsonb) ORDER BY q.key LIMIT $3::bigint"
  }

  /// Those of the keys in `$2`.
  var quarantineAgain: String {
    "\(stale) WHERE q.slot = $1 AND q.key IN (SELECT value::jsonb FROM pg_catalog.json_array_elements_text($2::json))"
  }

  private var stale: String {
    let match = zip(derive.key.indices, derive.key).map { index, key in
      "t.\(key.quoted) = (q.key ->> \(index))::\(keyTypes[index])"
    }.joined(separator: " AND ")
    return """
      SELECT q.key::text, q.last_seen::text || q.xmin::text, q.status,
             pg_catalog.jsonb_array_length(q.key) <> \(keyTypes.count)
             OR NOT EXISTS (SELECT FROM \(table) WHERE \(match) AND \(wrong)), \(Self.position)
        FROM crossfade.quarantine AS q
      """
  }

  /// The partitions that hold the table's rows, or itself, with their bytes.
  var leaves: String {
    """
    SELECT c.oid, pg_catalog.pg_relation_size(c.oid, 'main') FROM pg_catalog.pg_class AS c
     WHERE c.relkind IN ('r', 'm') AND (c.oid = $1::regclass
           OR c.oid IN (SELECT p.relid FROM pg_catalog.pg_partition_tree($1::regclass) AS p)) ORDER BY c.oid
    """
  }

  /// The planner's estimate of the rows, summed over the partitions.
  var estimate: String {
    """
    SELECT sum(greatest(0, c.reltuples))::bigint FROM pg_catalog.pg_class AS c
     WHERE c.relkind <> 'p' AND (c.oid = $1::regclass
           OR c.oid IN (SELECT p.relid FROM pg_catalog.pg_partition_tree($1::regclass) AS p))
    """
  }
}
