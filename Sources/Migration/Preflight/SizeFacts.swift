import Derivation
import Glibc
import Postgres

/// How large the table is, and how the server came to know: what estimates are made of.
struct SizeFacts: Equatable, Sendable {
  /// The planner's estimate of its rows: statistics, scaled to the table's present size.
  var rows: Int64
  /// Bytes of the table's pages, its partitions' included; indexes and TOAST apart.
  var heapBytes: Int64
  /// Bytes of each partition's pages, by its quoted name.
  var partitions: [String: Int64] = [:]
  var indexBytes: Int64
  var toastBytes: Int64
  /// Bytes of the whole database.
  var databaseBytes: Int64
  /// When the statistics were made, as the server writes a time; nil when they never were.
  var analyzed: String?
  /// Rows changed since.
  var changedSince: Int64
  /// Indexes on the table.
  var indexes: Int64
  var writesFullPages: Bool
  var pageBytes: Int64 = 8_192
  /// What an earlier backfill of this slot has recorded.
  var earlier: EarlierBackfill?
  /// Bytes free where the server's data lies, when it is on this machine.
  var freeBytes: UInt64?

  struct EarlierBackfill: Equatable, Sendable {
    var rows: Int64
    var seconds: Double
  }

  /// For people: how large it is, and how that is known.
  var sentences: [String] {
    [
      "about \(Sizes.count(rows)) rows (\(evidence))",
      "\(text(heapBytes)) of pages, \(text(indexBytes)) of \(indexes == 1 ? "1 index" : "\(indexes) indexes"), \(text(toastBytes)) of TOAST; the database has "
        + text(databaseBytes),
    ]
  }

  /// What should be mended before figures are relied on, and whether there is room.
  func findings(_ table: QualifiedName) -> [Finding] { [statistics(table), room] }

  private func statistics(_ table: QualifiedName) -> Finding {
    guard let analyzed else {
      return .warn(
        "statistics", "\(table) was never analyzed: the figures are guesses", fix: "ANALYZE \(table.quoted);")
    }
    return .pass("statistics", "analyzed \(analyzed)")
  }

  private var room: Finding {
    let subject = "server disk"
    let needed = heapBytes + Int64(Double(max(0, rows)) * AssumedRates.indexBytes)
    let needs =
      "backfill and index take up to \(text(needed)) beside the database's \(text(databaseBytes)), and WAL"
    guard let freeBytes else {
      return .warn(
        subject, "\(needs); how much is free there, SQL does not tell",
        fix: "look on the server: df -h, for the directory that SHOW data_directory names")
    }
    let found = "\(needs); \(Sizes.text(freeBytes)) are free"
    return freeBytes / 2 < UInt64(max(0, needed))
      ? .warn(subject, found, fix: "make room first: twice that much should be free") : .pass(subject, found)
  }

  private func text(_ bytes: Int64) -> String { Sizes.text(UInt64(max(0, bytes))) }

  /// How the number of rows is known.
  var evidence: String {
    guard let analyzed else {
      return
        "the planner's guess from \(heapBytes / max(1, pageBytes)) pages: the table was never analyzed; ANALYZE betters it"
    }
    return "the planner's estimate, analyzed \(analyzed)"
      + (changedSince > 0 ? ", \(Sizes.count(changedSince)) rows changed since" : "")
  }

  /// Bytes that a row takes on its page.
  var rowBytes: Int64 { rows > 0 ? max(32, heapBytes / rows) : 0 }
}

extension SizeFacts {
  static func ask(
    _ oid: Int64, _ table: QualifiedName, slot: String, readsProgress: Bool, _ connection: Connection
  ) throws(PostgresError) -> SizeFacts {
    let purpose = "look up the size of \(table)"
    let rows = try connection.query(
      """
      WITH parts AS (SELECT $1::oid AS relid UNION SELECT relid::oid FROM pg_partition_tree($1::oid::regclass))
      SELECT sum(pg_relation_size(c.oid)) FILTER (WHERE c.relkind IN ('r', 'p')),
             sum(pg_indexes_size(c.oid)), coalesce(sum(pg_total_relation_size(nullif(c.reltoastrelid, 0))), 0),
             pg_database_size(current_database()),
             to_char(min(greatest(s.last_analyze, s.last_autoanalyze)) AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI "UTC"'),
             coalesce(sum(s.n_mod_since_analyze), 0),
             (SELECT count(*) FROM pg_index i WHERE i.indrelid = $1::oid),
             current_setting('full_page_writes'), current_setting('block_size')
        FROM parts p JOIN pg_class c ON c.oid = p.relid
        LEFT JOIN pg_stat_all_tables s ON s.relid = c.oid AND c.relkind = 'r'
      """, [.integer(oid)], purpose: purpose)
    // The plan's node says how many rows the planner expects; nothing is read.
    let plan = try connection.query("EXPLAIN SELECT FROM \(table.quoted)", purpose: purpose)
    return SizeFacts(
      rows: plan[0, 0].flatMap(Self.rows) ?? 0, heapBytes: rows.integer(0, 0) ?? 0,
      partitions: try partitions(oid, connection), indexBytes: rows.integer(0, 1) ?? 0,
      toastBytes: rows.integer(0, 2) ?? 0, databaseBytes: rows.integer(0, 3) ?? 0, analyzed: rows[0, 4],
      changedSince: rows.integer(0, 5) ?? 0, indexes: rows.integer(0, 6) ?? 0,
      writesFullPages: rows[0, 7] == "on",
      pageBytes: rows.integer(0, 8) ?? 8_192,
      earlier: readsProgress ? try earlier(slot, connection) : nil, freeBytes: try free(connection))
  }

  private static func partitions(_ oid: Int64, _ connection: Connection) throws(PostgresError) -> [String:
    Int64]
  {
    let rows = try connection.query(
      #"""
      SELECT format('"%s"."%s"', replace(n.nspname, '"', '""'), replace(c.relname, '"', '""')), pg_relation_size(c.oid)
        FROM pg_partition_tree($1::oid::regclass) t JOIN pg_class c ON c.oid = t.relid
        JOIN pg_namespace n ON n.oid = c.relnamespace WHERE t.isleaf AND t.level > 0
      """#, [.integer(oid)], purpose: "look up the partitions' sizes")
    var sizes: [String: Int64] = [:]
    for row in 0..<rows.rowCount { if let name = rows[row, 0] { sizes[name] = rows.integer(row, 1) ?? 0 } }
    return sizes
  }

  /// Only where we talk to the server through a socket of this machine, and may see where its data lies.
  private static func free(_ connection: Connection) throws(PostgresError) -> UInt64? {
    let rows = try connection.query(
      """
      SELECT setting FROM pg_settings WHERE name = 'data_directory' AND inet_server_addr() IS NULL
      """, purpose: "look up where the server's data lies")
    guard let path = rows[0, 0] else { return nil }
    var disk = statvfs()
    guard statvfs(path, &disk) == 0 else { return nil }
    return UInt64(disk.f_bavail).multipliedReportingOverflow(by: UInt64(disk.f_frsize)).partialValue
  }

  /// `Seq Scan on transactions  (cost=0.00..35811.00 rows=2000000 width=0)`.
  static func rows(explained line: String) -> Int64? {
    line.firstMatch(of: /rows=(\d+)/).flatMap { Int64($0.1) }
  }

  private static func earlier(_ slot: String, _ connection: Connection) throws(PostgresError)
    -> EarlierBackfill?
  {
    let rows = try connection.query(
      """
      SELECT rows, extract(epoch FROM coalesce(finished_at, updated_at) - started_at)::float8 FROM crossfade.backfill
       WHERE slot = $1 AND rows > 0
      """, [.text(slot)], purpose: "read an earlier backfill's progress")
    guard let done = rows.integer(0, 0), let seconds = rows[0, 1].flatMap(Double.init), seconds > 1 else {
      return nil
    }
    return EarlierBackfill(rows: done, seconds: seconds)
  }
}
