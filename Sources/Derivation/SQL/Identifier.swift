/// The name of a table, a column or a schema, exactly as PostgreSQL's catalog holds it.
///
/// Names are compared byte for byte, as PostgreSQL compares them.
public struct Identifier: Hashable, Sendable {
  /// Why a text is not an identifier.
  public enum Problem: Error, Hashable, Sendable {
    /// Nothing stands there.
    case empty
    /// A NUL byte, which no name can hold.
    case containsNUL
    /// More than `NAMEDATALEN - 1` bytes: PostgreSQL would cut the name, and mean another one.
    case tooLong(bytes: Int)
    /// An unquoted name with capitals, which SQL would fold to lower case.
    case unquotedCapitals
    /// An unquoted name with a character that needs double quotes.
    case needsQuotes(Character)
    /// A double quote that nothing closes.
    case unclosedQuote
    /// Characters behind a closing double quote.
    case trailing(Character)
    /// Another number of dotted parts than the place takes.
    case parts(found: Int, expected: Int)
  }

  /// PostgreSQL's limit on a name, in bytes (`NAMEDATALEN - 1`).
  public static let maximumBytes = 63

  private let exact: ExactText

  /// The name as the catalog holds it, without quotes.
  public var name: String { exact.string }

  /// A name taken as it is: nothing is folded, no quotes are looked for.
  public init(_ name: String) throws(Problem) {
    if name.isEmpty { throw .empty }
    if name.utf8.contains(0) { throw .containsNUL }
    if name.utf8.count > Self.maximumBytes { throw .tooLong(bytes: name.utf8.count) }
    exact = ExactText(name)
  }

  /// A name written as in SQL: `status`, or `"Status"` with double quotes. Unquoted capitals are refused rather
  /// than folded, since the writer may have meant either.
  public init(sql text: String) throws(Problem) {
    let parts = try SQLNameParts.split(text)
    guard parts.count == 1, let only = parts.first else { throw .parts(found: parts.count, expected: 1) }
    self = only
  }

  /// The name in double quotes, each double quote in it doubled: right in any SQL statement.
  public var quoted: String {
    var result = "\""
    for scalar in name.unicodeScalars {
      if scalar == "\"" { result.unicodeScalars.append(scalar) }
      result.unicodeScalars.append(scalar)
    }
    return result + "\""
  }
}

extension Identifier: CustomStringConvertible {
  /// The name as one writes it in SQL: in double quotes only where it needs them.
  public var description: String {
    SQLNameParts.isPlain(name) ? name : quoted
  }
}
