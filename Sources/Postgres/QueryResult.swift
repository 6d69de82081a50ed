import CLibPQ

/// The rows and the tag of one statement. Owns libpq's result and frees it.
public final class QueryResult {
  private let result: OpaquePointer

  init(owning result: OpaquePointer) {
    self.result = result
  }

  deinit {
    PQclear(result)
  }

  var status: ExecStatusType { PQresultStatus(result) }

  /// Rows returned.
  public var rowCount: Int { Int(PQntuples(result)) }

  /// Columns a row.
  public var columnCount: Int { Int(PQnfields(result)) }

  /// Rows the statement touched (`PQcmdTuples`); zero where the tag has no count.
  public var affectedRows: Int {
    guard let text = PQcmdTuples(result) else { return 0 }
    return Int(String(cString: text)) ?? 0
  }

  /// The text of a cell; nil for SQL NULL and for a cell outside the result.
  public subscript(row: Int, column: Int) -> String? {
    guard row >= 0, row < rowCount, column >= 0, column < columnCount else { return nil }
    let row = Int32(row)
    let column = Int32(column)
    guard PQgetisnull(result, row, column) == 0, let value = PQgetvalue(result, row, column) else {
      return nil
    }
    let bytes = UnsafeRawBufferPointer(start: value, count: Int(PQgetlength(result, row, column)))
    return String(decoding: bytes, as: UTF8.self)
  }

  /// The text of a cell of the first row.
  public subscript(column: Int) -> String? { self[0, column] }

  /// A cell as an integer.
  public func integer(_ row: Int, _ column: Int) -> Int64? { self[row, column].flatMap { Int64($0) } }

  /// A cell as a truth value (`t`, `f`).
  public func boolean(_ row: Int, _ column: Int) -> Bool { self[row, column] == "t" }

  /// The name of a column.
  public func name(ofColumn column: Int) -> String {
    guard column >= 0, column < columnCount, let name = PQfname(result, Int32(column)) else { return "" }
    return String(cString: name)
  }

  func error(purpose: String) -> ServerError { ServerError(result, purpose: purpose) }
}

extension ServerError {
  /// The report in a result of libpq's.
  init(_ result: OpaquePointer, purpose: String) {
    func field(_ code: Character) -> String? {
      guard let ascii = code.asciiValue, let text = PQresultErrorField(result, Int32(ascii)) else {
        return nil
      }
      return String(cString: text)
    }
    let whole = PQresultErrorMessage(result).map { String(cString: $0) } ?? ""
    self.init(
      purpose: purpose, sqlState: SQLState(rawValue: field("C") ?? "XX000"),
      message: field("M") ?? whole.trimmedLines, detail: field("D"), hint: field("H"), constraint: field("n"))
  }
}

extension String {
  /// libpq ends its messages with a newline and may give several lines: one line, joined.
  package var trimmedLines: String {
    split(whereSeparator: \.isNewline).map { line in
      String(line.drop(while: { $0 == " " || $0 == "\t" }))
    }.joined(separator: "; ")
  }
}
