/// A table with its schema. There is no form without one: what `search_path` finds is a guess.
public struct QualifiedName: Hashable, Sendable {
  /// The schema the table stands in.
  public var schema: Identifier
  /// The table's own name.
  public var name: Identifier

  /// A name from its parts.
  public init(schema: Identifier, name: Identifier) {
    self.schema = schema
    self.name = name
  }

  /// A name written as in SQL: `public.transactions`, or `"My Schema"."T"`.
  public init(sql text: String) throws(Identifier.Problem) {
    let parts = try SQLNameParts.split(text)
    guard parts.count == 2 else { throw .parts(found: parts.count, expected: 2) }
    self.init(schema: parts[0], name: parts[1])
  }

  /// Both parts in double quotes: right in any SQL statement.
  public var quoted: String { "\(schema.quoted).\(name.quoted)" }
}

extension QualifiedName: CustomStringConvertible {
  /// The name as one writes it in SQL, quoted only where it must be.
  public var description: String { "\(schema).\(name)" }
}
