public import Postgres

/// A table of the `crossfade` schema: its name and the statements that make it.
public struct ControlTable: Sendable, Hashable {
  /// Its name in the schema.
  public var name: String
  /// What makes it, each complete.
  public var statements: [String]

  /// A table from its name and statements.
  public init(_ name: String, _ statements: [String]) {
    self.name = name
    self.statements = statements
  }
}

extension ControlTable {
  /// Those of the tables that are not there.
  public static func missing(
    of tables: [ControlTable], on connection: Connection
  ) throws(PostgresError) -> [ControlTable] {
    let found = try connection.query(
      "SELECT tablename::text FROM pg_catalog.pg_tables WHERE schemaname = 'crossfade'",
      purpose: "look up the crossfade schema")
    let names = Set((0..<found.rowCount).compactMap { found[$0, 0] })
    return tables.filter { !names.contains($0.name) }
  }

  /// Makes those that are missing, and the schema. Nothing is run when all is there, so that a role without CREATE can
  /// use them.
  public static func ensure(_ tables: [ControlTable], on connection: Connection) throws(PostgresError) {
    let missing = try missing(of: tables, on: connection)
    guard !missing.isEmpty else { return }
    let there = try ControlSchema.isThere(on: connection)
    try connection.transaction(purpose: "make the crossfade schema") { () throws(PostgresError) in
      for statement in (there ? [] : [ControlSchema.schema]) + missing.flatMap(\.statements) {
        try connection.query(statement, purpose: "make the crossfade schema")
      }
    }
  }
}
