import Derivation
import DualWrite
import Postgres

/// One session's backfill: pages, one commit each.
struct BackfillRun {
  private let definition: SlotDefinition
  private let connection: Connection
  private let mark: WriteMark
  private let sql: BackfillSQL
  private(set) var progress: BackfillProgress

  init(definition: SlotDefinition, connection: Connection) throws(PostgresError) {
    self.definition = definition
    self.connection = connection
    sql = BackfillSQL(
      derive: definition.derive, keyTypes: try MapTable.keyTypes(definition.derive, on: connection))
    // Our own writes come back through the slot; the mark lets capture drop them at their first record.
    mark = try WriteMark(.backfill, slot: definition.slot, on: connection)
    if let found = try BackfillProgress.load(slot: definition.slot, on: connection) {
      progress = found
    } else {
      progress = try Self.begin(definition, sql, connection)
    }
    try prepare()
  }

  /// Derives the next page. False when there is none.
  mutating func step() throws(PostgresError) -> Bool {
    guard !progress.finished else { return false }
    guard let bound = progress.bound else { return try finish() }
    let last = progress.lastKey
    let page = try connection.query(
      sql.page(after: last != nil),
      [.integer(definition.backfill.batch)] + bound.map { .text($0) } + (last ?? []).map { .text($0) },
      purpose: "find the next page")
    guard page.rowCount == 1 else { return try finish() }
    let columns = definition.derive.key.indices
    let end = columns.compactMap { page[0, $0] }
    guard end.count == columns.count, let rows = page.integer(0, columns.count) else {
      throw .unexpected(purpose: "find the next page", what: "a key that is NULL")
    }
    try apply(upTo: end, after: last, rows: rows)
    return true
  }

  private mutating func apply(upTo end: [String], after last: [String]?, rows: Int64) throws(PostgresError) {
    let purpose = "backfill a page"
    let keys: [Parameter] = (end + (last ?? [])).map { .text($0) }
    let suffix = last == nil ? "First" : ""
    var statements = [mark.statement()]
    statements.append(
      PipelineStatement(
        "apply" + suffix, [.text(definition.slot), .text(JSONStrings.write(end)), .integer(rows)] + keys))
    statements.append(PipelineStatement("quarantine" + suffix, [.text(definition.slot)] + keys))
    try connection.startPipeline(statements, purpose: purpose)
    _ = try connection.finishPipeline(purpose: purpose)
    progress.lastKey = end
    progress.rows += rows
  }

  private mutating func finish() throws(PostgresError) -> Bool {
    try connection.query(
      "UPDATE crossfade.backfill SET finished_at = clock_timestamp() WHERE slot = $1 AND finished_at IS NULL",
      [.text(definition.slot)], purpose: "finish the backfill")
    if let found = try BackfillProgress.load(slot: definition.slot, on: connection) { progress = found }
    return false
  }

  private func prepare() throws(PostgresError) {
    for (suffix, after) in [("", true), ("First", false)] {
      try connection.prepare("apply" + suffix, sql.apply(after: after), purpose: "prepare the backfill")
      try connection.prepare(
        "quarantine" + suffix, sql.quarantine(after: after), purpose: "prepare the backfill")
    }
  }

  /// Pins the bound: the last key there is now that changes are captured.
  private static func begin(
    _ definition: SlotDefinition, _ sql: BackfillSQL, _ connection: Connection
  ) throws(PostgresError) -> BackfillProgress {
    let last = try connection.query(sql.last, purpose: "find the last key")
    let bound = last.rowCount == 1 ? definition.derive.key.indices.compactMap { last[0, $0] } : nil
    let estimate = try connection.query(
      // A plain table has no partition tree; a partitioned one's own estimate is the sum of its leaves'.
      """
      SELECT sum(greatest(0, c.reltuples))::bigint FROM pg_catalog.pg_class AS c
       WHERE c.relkind <> 'p' AND (c.oid = $1::regclass
             OR c.oid IN (SELECT p.relid FROM pg_catalog.pg_partition_tree($1::regclass) AS p))
      """,
      [.text(definition.derive.table.quoted)], purpose: "estimate the rows")
    let progress = BackfillProgress(
      lastKey: nil, bound: bound, rows: 0, written: 0, expected: estimate.integer(0, 0) ?? 0, finished: false)
    try connection.query(
      """
      INSERT INTO crossfade.backfill (slot, bound, expected)
      VALUES ($1, CASE WHEN $2::json IS NOT NULL THEN ARRAY(SELECT json_array_elements_text($2::json)) END, $3)
      """,
      [.text(definition.slot), .optional(bound.map { JSONStrings.write($0) }), .integer(progress.expected)],
      purpose: "record the backfill's bound")
    return try BackfillProgress.load(slot: definition.slot, on: connection) ?? progress
  }
}
