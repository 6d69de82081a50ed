package import Postgres

/// A type whose values the stream sends as another text than SQL's `::text` gives, by which the map is asked. A row would be
/// derived right where it stands, and its changes would go into quarantine: no such column can be the old one.
package enum StreamedText: String, Sendable {
  /// `char(n)`: sent with its padding, which a cast to text drops.
  case padded = "bpchar"
  /// `boolean`: sent as `t`, cast to `true`.
  case letter = "bool"
  /// `inet`: a host is sent without the mask that a cast to text adds.
  case bare = "inet"

  /// The type of column `a.atttypid`, below any domains, if it is one of these; else NULL.
  package static let asked = """
    (WITH RECURSIVE b AS (
       SELECT t.oid, t.typname, t.typbasetype FROM pg_catalog.pg_type AS t WHERE t.oid = a.atttypid
       UNION ALL
       SELECT t.oid, t.typname, t.typbasetype FROM pg_catalog.pg_type AS t JOIN b ON t.oid = b.typbasetype)
     SELECT b.typname FROM b
      WHERE b.oid IN ('pg_catalog.bpchar'::regtype, 'pg_catalog.bool'::regtype, 'pg_catalog.inet'::regtype))
    """

  /// A column's type as SQL writes it, with what is the matter with it; nil where nothing is, or there is no such column.
  package static func ask(
    _ column: String, of table: String, schema: String, on connection: Connection
  ) throws(PostgresError) -> (type: String, text: StreamedText)? {
    let rows = try connection.query(
      """
      SELECT pg_catalog.format_type(a.atttypid, a.atttypmod), \(asked)
        FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
        JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
       WHERE n.nspname = $1 AND c.relname = $2 AND a.attname = $3 AND a.attnum > 0 AND NOT a.attisdropped
      """, [.text(schema), .text(table), .text(column)], purpose: "look up the type of \(column)")
    guard let type = rows[0, 0], let text = rows[0, 1].flatMap({ StreamedText(rawValue: $0) }) else {
      return nil
    }
    return (type, text)
  }

  /// What is the matter, after the column's name.
  package func danger(_ type: String) -> String {
    let how =
      switch self {
      case .padded: "the stream sends its values padded, and SQL compares them without"
      case .letter: "the stream sends t and f, and SQL's text is true and false"
      case .bare: "the stream sends a host without its mask, and SQL's text has it"
      }
    return "is \(type): \(how), so no change would find its status in the map"
  }

  /// How to get out of it.
  package func remedy(_ column: String, of table: String, type: String) -> String {
    let change = "ALTER TABLE \(table) ALTER COLUMN \(column) TYPE "
    let length = type.hasPrefix("character(") ? "varchar\(type.dropFirst("character".count))" : "text"
    return
      "\(change)\(length);  -- rewrites the table and its indexes under ACCESS EXCLUSIVE; or name another column in derive.from"
  }
}
