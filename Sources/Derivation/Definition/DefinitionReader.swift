internal import Yams

/// Reads typed fields out of a document and gathers every fault on the way.
///
/// A reading function returns nil both for what is absent and for what is wrong; what is wrong has been reported.
struct DefinitionReader {
  let file: String
  let lines: SourceLines
  let ghosts: [String: String]
  let environment: [String: String]
  private(set) var errors: [DefinitionError] = []

  init(file: String, yaml: String, ghosts: [String: String], environment: [String: String]) {
    self.file = file
    self.lines = SourceLines(yaml)
    self.ghosts = ghosts
    self.environment = environment
  }

  mutating func report(_ path: FieldPath, _ place: Place, _ problem: String, hint: String) {
    errors.append(
      DefinitionError(
        file: file, line: place.line, column: place.column, path: path.description, problem: problem,
        hint: hint))
  }

  mutating func report(_ field: Field, _ problem: String, hint: String) {
    report(field.path, field.place, problem, hint: hint)
  }

  /// The mapping at a field, its keys checked against those of `schema`.
  mutating func section(_ field: Field, _ schema: SectionSchema) -> Section? {
    guard case .mapping(let mapping) = field.node else {
      report(
        field, "\(field.isNull ? "is empty" : "is \(field.kind)"), must be a mapping", hint: schema.example)
      return nil
    }
    var section = Section(path: field.path, place: field.keyPlace ?? field.place, fields: [:])
    for (key, value) in mapping {
      guard let name = key.scalar?.string else {
        report(
          Field(path: field.path, node: key), "a key is a mapping or a list, must be a name",
          hint: "known here: \(Echo.list(schema.keys))")
        continue
      }
      if ghosts[name] != nil { continue }
      guard schema.keys.contains(name) else {
        let meant = Suggestion.nearest(to: name, among: schema.keys)
        if let meant { section.suspects.insert(meant) }
        reportUnknown(name, Field(path: field.path.appending(name), node: key), schema, meant)
        continue
      }
      var entry = Field(path: field.path.appending(name), node: value)
      // An alias stands where it is used, not where its anchor is; and what is empty stands at its key.
      let keyPlace = Place(key.mark)
      entry.keyPlace = keyPlace
      if entry.isNull || entry.place.line < keyPlace.line { entry.place = keyPlace }
      section.fields[name] = entry
    }
    return section
  }

  /// The field with a key; reported when it is required and missing, or when nothing stands there.
  mutating func field(_ section: Section, _ key: String, required example: String? = nil) -> Field? {
    guard let field = section.fields[key] else {
      if let example, !section.suspects.contains(key) {
        report(section.path.appending(key), section.place, "is missing", hint: example)
      }
      return nil
    }
    guard !field.isNull else {
      report(field, "is empty", hint: example ?? "give a value, or remove the key for its default")
      return nil
    }
    return field
  }

  /// A mapping of which every key has a default: absent, empty or given.
  mutating func optionalSection(_ parent: Section, _ key: String, _ schema: SectionSchema) -> Section? {
    guard let field = parent.fields[key] else { return nil }
    if field.isNull { return Section(path: field.path, place: field.place, fields: [:]) }
    return section(field, schema)
  }

  private mutating func reportUnknown(
    _ name: String, _ field: Field, _ schema: SectionSchema, _ meant: String?
  ) {
    let hint: String
    if name == "<<" {
      hint = "merge keys are not read; write the keys out (anchors and aliases of whole values are fine)"
    } else if let meant {
      hint = "did you mean `\(meant)`?"
    } else if let home = SectionSchema.home(of: name) {
      hint = "`\(name)` belongs \(home)"
    } else {
      hint = "known here: \(Echo.list(schema.keys))"
    }
    report(field, "there is no such key", hint: hint)
  }
}
