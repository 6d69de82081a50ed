/// A file that another tool is to read.
public struct EmittedFile: Hashable, Sendable {
  /// Where it stands below the directory: `1-expand/V1__expand_map.sql`.
  public var path: String
  /// What it holds; ends with a line break.
  public var text: String

  /// A file from its parts.
  public init(path: String, text: String) {
    self.path = path
    self.text = text
  }
}

/// A tool for schema migrations that files can be written for.
public enum EmitTool: String, CaseIterable, Sendable {
  /// Versioned SQL with a configuration beside what runs outside of a transaction.
  case flyway
  /// A changelog of formatted SQL.
  case liquibase
  /// SQL with both directions in a file.
  case dbmate
  /// Revisions in Python.
  case alembic
  /// Scripts for psql.
  case sql
}
