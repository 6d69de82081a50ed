import Derivation
import Postgres

/// The rows that lack the old column while it is to be required again: those of a state without an old text, before all.
struct RowsWithoutText: Sendable, Equatable {
  /// How many rows there are of a state.
  struct OfState: Sendable, Equatable {
    /// Its id; nil where the new column is empty, too.
    var id: String?
    var count: Int64
  }

  /// The most first.
  var states: [OfState] = []
  /// Milliseconds after which the look was cut; nil where all rows were looked at.
  var cutAfter: Int?

  /// No more are counted.
  static let limit = 100_000

  /// - Parameter text: one that the map holds.
  func gate(_ derive: SlotDefinition.Derive, text: String?) -> Gate {
    let wanted = "no row whose \(derive.from) is NULL: it is required again"
    if let cutAfter {
      return Gate(
        "old texts", passes: false,
        "not known: reading \(derive.table) was cut after \(Milliseconds(cutAfter))", threshold: wanted,
        mend: "give --scan more seconds; the validation reads it as long")
    }
    let count = states.reduce(0) { $0 + $1.count }
    let shown =
      states.prefix(3).map { state in
        "\(Sizes.count(state.count)) of state \(state.id ?? "NULL")"
      }.joined(separator: ", ") + (states.count > 3 ? ", ..." : "")
    return Gate(
      "old texts", passes: count == 0,
      count == 0
        ? "every row has \(derive.from)"
        : "\(derive.from) is NULL in \(count > Self.limit ? "more than " : "")\(Sizes.count(min(count, Int64(Self.limit)))) "
          + "\(count == 1 ? "row" : "rows") (\(shown))", threshold: wanted,
      mend: "give them one, as in UPDATE \(derive.table.quoted) SET \(derive.from.quoted) = "
        + "\(SQLText.literal(text ?? "TEXT")) WHERE \(derive.from.quoted) IS NULL, and \(derive.to) follows; or add "
        + "--keep-nullable: \(derive.from) stays nullable")
  }
}

extension RowsWithoutText {
  static func ask(
    _ derive: SlotDefinition.Derive, limitMilliseconds: Int, on connection: Connection
  ) throws(PostgresError) -> RowsWithoutText {
    let purpose = "count the rows without \(derive.from)"
    let sql = """
      SELECT t.id::text, count(*) FROM (SELECT t.\(derive.to.quoted) AS id FROM \(derive.table.quoted) AS t
        WHERE t.\(derive.from.quoted) IS NULL LIMIT \(limit + 1)) AS t GROUP BY 1 ORDER BY 2 DESC, 1
      """
    do throws(PostgresError) {
      try connection.query(
        "SELECT set_config('statement_timeout', '\(limitMilliseconds)', false)", purpose: purpose)
      let rows = try connection.query(sql, purpose: purpose)
      try connection.query("RESET statement_timeout", purpose: purpose)
      return RowsWithoutText(
        states: (0..<rows.rowCount).map { OfState(id: rows[$0, 0], count: rows.integer($0, 1) ?? 0) })
    } catch {
      guard error.sqlState == .queryCanceled else { throw error }
      try connection.query("RESET statement_timeout", purpose: purpose)
      return RowsWithoutText(cutAfter: limitMilliseconds)
    }
  }
}
