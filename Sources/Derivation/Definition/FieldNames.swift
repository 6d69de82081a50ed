/// SQL names in a slot definition: written as in SQL, with capitals only in double quotes.
extension DefinitionReader {
  /// A column or publication.
  mutating func identifier(_ field: Field, _ must: String) -> Identifier? {
    let hint = "write it as in SQL: `status`, or '\"Status\"' where it needs double quotes"
    guard let text = text(field, must, hint: hint) else { return nil }
    do throws(Identifier.Problem) {
      return try Identifier(sql: text)
    } catch {
      report(field, text, must, error)
      return nil
    }
  }

  /// A table with its schema.
  mutating func qualifiedName(_ field: Field, _ must: String) -> QualifiedName? {
    let hint = "write schema and table: `public.transactions`"
    guard let text = text(field, must, hint: hint) else { return nil }
    do throws(Identifier.Problem) {
      return try QualifiedName(sql: text)
    } catch {
      report(field, text, must, error)
      return nil
    }
  }

  /// Columns in a list, none of them twice.
  mutating func identifiers(_ field: Field, _ must: String) -> [Identifier]? {
    guard let elements = list(field, of: must, hint: "write them in brackets: `[id]`") else { return nil }
    var names: [Identifier] = []
    var isWhole = true
    for element in elements {
      guard let name = identifier(element, "a column") else {
        isWhole = false
        continue
      }
      if names.contains(name) {
        report(element, "is \(element.kind), which the list already holds", hint: "keep one of them")
        isWhole = false
      }
      names.append(name)
    }
    return isWhole ? names : nil
  }

  private mutating func report(_ field: Field, _ text: String, _ must: String, _ problem: Identifier.Problem)
  {
    let shown = Echo.quoted(text)
    let quotes = "put the name in double quotes, and those in single ones for YAML: '\"Name\"'"
    switch problem {
    case .empty: report(field, "is an empty name, must be \(must)", hint: "give the name")
    case .containsNUL: report(field, "is \(shown), and a name cannot hold NUL", hint: "remove the NUL")
    case .tooLong(let bytes):
      report(
        field, "is a name of \(bytes) bytes, and PostgreSQL would cut it at \(Identifier.maximumBytes)",
        hint: "give the name as the catalog holds it (`\\d` in psql shows it)")
    case .unquotedCapitals:
      report(
        field, "is \(shown), whose capitals SQL would fold to lower case",
        hint: "write it in lower case, or with its capitals in double quotes: \(Self.capitals(text))")
    case .needsQuotes(let character):
      report(field, "is \(shown), and \(Echo.quoted(String(character))) needs double quotes", hint: quotes)
    case .unclosedQuote:
      report(
        field, "is \(shown), whose double quote is not closed", hint: "close it; write `\"\"` for one inside")
    case .trailing(let character):
      report(
        field, "is \(shown), with \(Echo.quoted(String(character))) behind a closing double quote",
        hint: "put a dot between schema and table, and nothing behind the name")
    case .parts(1, 2):
      report(
        field, "is \(shown), without its schema, must be \(must)",
        hint: "write the schema too: `public.\(Echo.name(text))`")
    case .parts(let found, let expected):
      report(
        field, "is \(shown), \(found) names joined by dots, must be \(must)",
        hint: expected == 1 ? "write the name alone" : "write schema and table only")
    }
  }

  private static func capitals(_ text: String) -> String {
    let parts = text.split(separator: ".", omittingEmptySubsequences: false).map { part in
      part.contains { $0.isUppercase } && !part.contains("\"") ? "\"\(part)\"" : String(part)
    }
    return Echo.quoted("'\(parts.joined(separator: "."))'")
  }
}
