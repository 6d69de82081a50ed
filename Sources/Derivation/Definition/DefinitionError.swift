/// One fault in a slot definition: where it stands, what is wrong, and how to mend it.
///
/// No part of it ever holds a connection string.
public struct DefinitionError: Error, Hashable, Sendable {
  /// The file as it was named to the reader.
  public var file: String
  /// The line, from 1.
  public var line: Int
  /// The column in Unicode scalars, from 1.
  public var column: Int
  /// The field's path: `derive.map.states[2].id`; empty for the document as a whole.
  public var path: String
  /// What is wrong.
  public var problem: String
  /// How to mend it.
  public var hint: String

  /// A fault from its parts.
  public init(file: String, line: Int, column: Int, path: String, problem: String, hint: String) {
    self.file = file
    self.line = line
    self.column = column
    self.path = path
    self.problem = problem
    self.hint = hint
  }
}

extension DefinitionError: CustomStringConvertible {
  /// `FILE:LINE:COLUMN: PATH: PROBLEM`, and the hint on a line of its own.
  public var description: String {
    let place = path.isEmpty ? "\(file):\(line):\(column)" : "\(file):\(line):\(column): \(path)"
    return "\(place): \(problem)\n  hint: \(hint)"
  }
}

/// Every fault found in a slot definition, in the order in which they stand in the file.
public struct DefinitionErrors: Error, Hashable, Sendable, CustomStringConvertible {
  /// The faults; never empty.
  public var errors: [DefinitionError]

  /// The faults, put in the order of the file.
  public init(_ errors: [DefinitionError]) {
    self.errors = errors.enumerated().sorted { a, b in
      (a.element.line, a.element.column, a.offset) < (b.element.line, b.element.column, b.offset)
    }.map(\.element)
  }

  /// Each fault as it describes itself.
  public var description: String { errors.map(\.description).joined(separator: "\n") }
}
