public import Derivation
import DualWrite
public import Logging
public import PGOutput
public import Postgres

/// Compares the new column with what the map makes of the old one: completeness, correctness, integrity.
///
/// A row counts as wrong only when it is still wrong after the stream has passed the position read when it was first
/// seen: what is merely on its way raises no alarm.
public struct Verify {
  let definition: SlotDefinition
  let connection: Connection
  let interrupt: Interrupt
  let logger: Logger
  let hasPassed: (LSN) throws(PostgresError) -> Bool

  /// How many suspects are held at most; more of them are counted where they stand, without a second look.
  private static let suspectLimit = 200_000
  private static let patienceMilliseconds = 120_000

  /// - Parameter hasPassed: whether everything that was committed before a position is applied.
  public init(
    definition: SlotDefinition, connection: Connection, interrupt: Interrupt, logger: Logger,
    hasPassed: @escaping (LSN) throws(PostgresError) -> Bool
  ) {
    self.definition = definition
    self.connection = connection
    self.interrupt = interrupt
    self.logger = logger
    self.hasPassed = hasPassed
  }

  /// Looks at the whole table.
  public func run() throws(MigrationError) -> Verification {
    do {
      return try verify()
    } catch {
      guard case .unexpected(purpose: "verify", let what) = error else { throw .postgres(error) }
      throw .notReady(
        what: what,
        hint: "see `crossfade status`: the stream must move for a verification to end; is `crossfade run` up?"
      )
    }
  }

  private func verify() throws(PostgresError) -> Verification {
    let types = try MapTable.keyTypes(definition.derive, on: connection)
    let sql = VerifySQL(derive: definition.derive, keyTypes: types)
    var result = Verification()
    result.rows = try connection.query(sql.count, purpose: "count the rows").integer(0, 0) ?? 0
    var (suspects, overflow) = try scan(sql)
    let atFirst = suspects.count
    if !suspects.isEmpty {
      let witness = try position()
      try awaitStream(witness)
      result.witness = "\(witness)"
      suspects = try again(sql, suspects)
    } else {
      result.witness = "\(try position())"
    }
    result.settled = Int64(atFirst - suspects.count)
    for suspect in suspects + overflow { result.counts[suspect.kind, default: 0] += 1 }
    result.first = Array((suspects + overflow).prefix(10))
    return result
  }

  /// Reads through the table by a cursor, so that memory stays flat.
  private func scan(_ sql: VerifySQL) throws(PostgresError) -> (
    [Verification.Mismatch], [Verification.Mismatch]
  ) {
    var suspects: [Verification.Mismatch] = []
    var overflow: [Verification.Mismatch] = []
    try connection.transaction("BEGIN READ ONLY", purpose: "verify") { () throws(PostgresError) in
      try connection.query(
        "DECLARE wrong NO SCROLL CURSOR FOR \(sql.scan)", purpose: "look through the table")
      while true {
        let rows = try connection.query("FETCH 10000 FROM wrong", purpose: "look through the table")
        let found = Self.mismatches(rows)
        let room = max(0, Self.suspectLimit - suspects.count)
        suspects += found.prefix(room)
        overflow += found.dropFirst(room)
        if rows.rowCount < 10_000 { return }
      }
    }
    return (suspects, overflow)
  }

  private func again(
    _ sql: VerifySQL, _ suspects: [Verification.Mismatch]
  ) throws(PostgresError) -> [Verification.Mismatch] {
    var still: [Verification.Mismatch] = []
    var rest = suspects[...]
    while !rest.isEmpty {
      let page = rest.prefix(5000)
      rest = rest.dropFirst(5000)
      // A JSON array of JSON texts, turned into a text array by the server.
      let keys = JSONStrings.write(page.map(\.key))
      let rows = try connection.query(
        sql.again.replacing("$1::text[]", with: "ARRAY(SELECT json_array_elements_text($1::json))"),
        [.text(keys)],
        purpose: "look at suspects again")
      still += Self.mismatches(rows)
    }
    return still
  }

  private static func mismatches(_ rows: QueryResult) -> [Verification.Mismatch] {
    (0..<rows.rowCount).compactMap { row in
      guard let key = rows[row, 0], let kind = rows[row, 3].flatMap(Verification.Class.init) else {
        return nil
      }
      return Verification.Mismatch(kind: kind, key: key, from: rows[row, 1], to: rows[row, 2])
    }
  }

  private func position() throws(PostgresError) -> LSN {
    let rows = try connection.query(
      "SELECT pg_catalog.pg_current_wal_insert_lsn()", purpose: "read the WAL position")
    return rows[0, 0].flatMap { LSN($0) } ?? .invalid
  }

  private func awaitStream(_ position: LSN) throws(PostgresError) {
    let deadline = Deadline.after(milliseconds: Self.patienceMilliseconds)
    while try !hasPassed(position) {
      if deadline.hasPassed {
        throw .unexpected(
          purpose: "verify",
          what: "the stream has not passed \(position) within \(Self.patienceMilliseconds / 1000) s")
      }
      if interrupt.wait(milliseconds: 50) { throw .interrupted(purpose: "verify") }
    }
  }
}
