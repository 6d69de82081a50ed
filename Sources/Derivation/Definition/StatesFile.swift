internal import Yams

extension StateMap {
  /// Reads a file that lists states as a slot definition's `derive.map.states` does:
  ///
  ///     states:
  ///       - {id: 1, code: authorized, status: AUTH}
  ///
  /// - Throws: Every fault in the text, in its order.
  public static func parse(yaml: String, file: String) throws(DefinitionErrors) -> [State] {
    let document = DefinitionDocument(yaml)
    var reader = DefinitionReader(file: file, yaml: yaml, ghosts: document.ghosts, environment: [:])
    if let failure = document.failure {
      reader.report(.root, failure.place, failure.problem, hint: failure.hint)
      throw DefinitionErrors(reader.errors)
    }
    let node = document.root ?? Node("")
    reader.reportDuplicates(in: node)
    let states = reader.statesFile(Field(path: .root, node: node))
    guard let states, reader.errors.isEmpty else { throw DefinitionErrors(reader.errors) }
    return states
  }
}

extension DefinitionReader {
  fileprivate mutating func statesFile(_ document: Field) -> [State]? {
    guard var root = section(document, .statesFile) else { return nil }
    root.place = Place(line: 1, column: 1)
    return field(root, "states", required: SectionSchema.statesFile.example).flatMap { stateList($0) }
  }
}

extension SectionSchema {
  fileprivate static let statesFile = SectionSchema(
    name: "", keys: ["states"],
    example: "write `states:` with `- {id: 1, code: authorized, status: AUTH}` for each state under it")
}
