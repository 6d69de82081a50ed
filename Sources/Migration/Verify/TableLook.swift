import Derivation
import DualWrite
import Foundation
import PGOutput
import Postgres

/// What one statement saw of the table.
struct Look: Equatable {
  var rows: Int64
  /// Where the WAL stood after that.
  var position: LSN
  var wrong: [SeenRow]
}

/// Looks at the table, a statement a look, over one session.
struct TableLook {
  let connection: Connection
  let sql: VerifySQL
  /// Whether the role may find rows by their place.
  let mayDraw: Bool
  private let derive: SlotDefinition.Derive
  private let interrupt: Interrupt

  init(
    _ derive: SlotDefinition.Derive, quarantineOf slot: String?, on connection: Connection,
    interrupt: Interrupt
  ) throws(PostgresError) {
    self.connection = connection
    self.interrupt = interrupt
    self.derive = derive
    let types = try MapTable.keyTypes(derive, on: connection)
    guard types.count == derive.key.count else {
      throw .unexpected(
        purpose: "verify", what: "table \(derive.table) or one of its key columns does not exist")
    }
    let granted = try connection.query(
      """
      SELECT has_column_privilege($1::regclass::oid, 'xmin', 'SELECT'),
             has_column_privilege($1::regclass::oid, 'ctid', 'SELECT')
             AND has_column_privilege($1::regclass::oid, 'tableoid', 'SELECT')
      """, [.text(derive.table.quoted)], purpose: "look up what may be read")
    sql = VerifySQL(
      derive: derive, keyTypes: types, slot: slot, readsVersions: granted.boolean(0, 0))
    mayDraw = granted.boolean(0, 1)
  }

  /// Asks, and again in a moment where DDL had the table locked, or a standby had to replay what it conflicts with.
  private func ask(
    _ sql: String, _ parameters: [Parameter] = [], purpose: String
  ) throws(PostgresError) -> QueryResult {
    var attempts = 0
    while true {
      do throws(PostgresError) {
        return try connection.query(sql, parameters, purpose: purpose)
      } catch {
        guard error.sqlState?.isTransient == true, attempts < 20 else { throw error }
        attempts += 1
        if interrupt.wait(milliseconds: 100 * attempts) { throw .interrupted(purpose: purpose) }
      }
    }
  }

  /// Where the WAL stands.
  func position() throws(PostgresError) -> LSN {
    let purpose = "read the WAL position"
    return try Self.position(
      try ask("SELECT \(VerifySQL.position)", purpose: purpose), 0, purpose)
  }

  /// The last key of the table; nil when it is empty.
  func lastKey() throws(PostgresError) -> [String]? {
    let last = try ask(sql.last, purpose: "find the last key")
    return last.rowCount == 1 ? derive.key.indices.compactMap { last[0, $0] } : nil
  }

  /// The planner's estimate of the rows.
  func estimate() throws(PostgresError) -> Int64 {
    try ask(sql.estimate, [.text(derive.table.quoted)], purpose: "estimate the rows").integer(
      0, 0)
      ?? 0
  }

  /// The last key of the next page up to `bound`; nil when there is none.
  func pageEnd(
    after last: [String]?, through bound: [String], rows: Int
  ) throws(PostgresError) -> [String]? {
    let purpose = "find the next page"
    let page = try ask(
      sql.pageEnd(after: last != nil),
      [.integer(rows)] + bound.map { .text($0) } + (last ?? []).map { .text($0) }, purpose: purpose)
    guard page.rowCount == 1 else { return nil }
    let end = derive.key.indices.compactMap { page[0, $0] }
    guard end.count == derive.key.count else {
      throw .unexpected(purpose: purpose, what: "a key that is NULL")
    }
    return end
  }

  /// Looks at the rows after a key, up to another.
  func page(after last: [String]?, through end: [String]) throws(PostgresError) -> Look {
    let purpose = "look at a page"
    return try Self.look(
      try ask(
        sql.page(after: last != nil), end.map { .text($0) } + (last ?? []).map { .text($0) }, purpose: purpose
      ),
      purpose)
  }

  /// Looks at the rows of these keys (JSON arrays).
  func rows(of keys: [String]) throws(PostgresError) -> Look {
    let purpose = "look up rows by key"
    return try Self.look(
      try ask(sql.keyed, [.text(JSONStrings.write(keys))], purpose: purpose), purpose)
  }

  /// Looks at places of a partition, or the table, `(block,line)` each.
  func rows(at places: [String], of leaf: UInt32) throws(PostgresError) -> Look {
    let purpose = "look at rows drawn"
    let array = "{" + places.map { "\"\($0)\"" }.joined(separator: ",") + "}"
    return try Self.look(
      try ask(sql.places, [.integer(leaf), .text(array)], purpose: purpose), purpose)
  }

  /// Which of these keys' rows are wrong now, and where the WAL stood; many keys are asked for in portions.
  func wrongRows(among keys: [String]) throws(PostgresError) -> (rows: [String: WrongRow], position: LSN) {
    let purpose = "look at suspects again"
    var found: [String: WrongRow] = [:]
    // The position is read last: it must not lie before what any of the looks saw.
    var rest = keys[...]
    while !rest.isEmpty {
      let rows = try ask(
        sql.again,
        [.text(JSONStrings.write(Array(rest.prefix(1000))))] + (sql.slot.map { [.text($0)] } ?? []),
        purpose: purpose)
      rest = rest.dropFirst(1000)
      for row in 0..<rows.rowCount {
        guard let key = rows[row, 0], let version = rows[row, 1],
          let kind = rows[row, 4].flatMap(Verification.Class.init)
        else { throw .unexpected(purpose: purpose, what: "a row without key, version or class") }
        found[key] = WrongRow(
          row: SeenRow(key: key, version: version), kind: kind, from: rows[row, 2], to: rows[row, 3])
      }
    }
    return (found, try position())
  }

  /// The partitions that hold rows, or the table itself.
  func leaves() throws(PostgresError) -> (leaves: [SampleDraw.Leaf], blockSize: UInt64) {
    let purpose = "measure the table"
    let size = try ask("SELECT current_setting('block_size')", purpose: purpose)
    let blockSize = size[0, 0].flatMap { UInt64($0) } ?? 8192
    let rows = try ask(sql.leaves, [.text(derive.table.quoted)], purpose: purpose)
    return (
      (0..<rows.rowCount).compactMap { row in
        guard let oid = rows[row, 0].flatMap({ UInt32($0) }), let bytes = rows[row, 1].flatMap({ UInt64($0) })
        else { return nil }
        return SampleDraw.Leaf(oid: oid, blocks: bytes / max(1, blockSize))
      }, blockSize
    )
  }

  private static func look(_ result: QueryResult, _ purpose: String) throws(PostgresError) -> Look {
    var wrong: [SeenRow] = []
    if let json = result[0, 2] {
      guard let rows = try? JSONDecoder().decode([[String]].self, from: Data(json.utf8)),
        rows.allSatisfy({ $0.count == 2 })
      else { throw .unexpected(purpose: purpose, what: "rows that do not read as such") }
      wrong = rows.map { SeenRow(key: $0[0], version: $0[1]) }
    }
    return Look(rows: result.integer(0, 0) ?? 0, position: try position(result, 1, purpose), wrong: wrong)
  }

  private static func position(
    _ result: QueryResult, _ column: Int, _ purpose: String
  ) throws(PostgresError) -> LSN {
    guard let position = result[0, column].flatMap({ LSN($0) }) else {
      throw .unexpected(purpose: purpose, what: "the server does not know its WAL position")
    }
    return position
  }
}
