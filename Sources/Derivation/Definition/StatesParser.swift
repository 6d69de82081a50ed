/// Reads the states that a map lists.
extension DefinitionReader {
  mutating func stateList(_ field: Field) -> [State]? {
    let example = SectionSchema.state.example
    guard let elements = list(field, of: "a list of states", hint: "\(example) for each, or remove the key")
    else {
      return nil
    }
    var states: [State] = []
    var places: [Field] = []
    for element in elements {
      guard let state = state(element) else { continue }
      states.append(state)
      places.append(element)
    }
    for problem in StateMap(states).problems {
      guard let last = problem.rows.last else { continue }
      report(places[last], problem.description, hint: "give each state an id, a code and a status of its own")
    }
    return states
  }

  private mutating func state(_ field: Field) -> State? {
    guard let section = section(field, .state) else { return nil }
    let id = self.field(section, "id", required: SectionSchema.state.example).flatMap { stateID($0) }
    let code = self.field(section, "code", required: SectionSchema.state.example).flatMap { stateCode($0) }
    guard let status = status(section), let id, let code else { return nil }
    return State(id: id, code: code, status: status)
  }

  /// A number as PostgreSQL prints it, or any other value in its text form.
  private mutating func stateID(_ field: Field) -> ExactText? {
    let hint = "write it as PostgreSQL prints it: `1`, or a UUID"
    guard let text = text(field, "an id", hint: hint) else { return nil }
    guard !text.isEmpty else {
      report(field, "is an empty text, must be an id", hint: hint)
      return nil
    }
    let digits = text.utf8.first == UInt8(ascii: "-") ? text.utf8.dropFirst() : text.utf8[...]
    let isNumber =
      !digits.isEmpty
      && digits.allSatisfy {
        UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 || $0 == UInt8(ascii: "_")
      }
    let isCanonical = Int64(text).map { String($0) == text } ?? false
    guard !isNumber || isCanonical || !field.isPlain else {
      report(
        field, "is \(field.kind), which PostgreSQL would print otherwise",
        hint: "write digits without leading zeros or _")
      return nil
    }
    return ExactText(text)
  }

  private mutating func stateCode(_ field: Field) -> ExactText? {
    let hint = "write a word for the state: `authorized`"
    guard let text = text(field, "a code", hint: hint) else { return nil }
    guard !text.isEmpty else {
      report(field, "is an empty text, must be a code", hint: hint)
      return nil
    }
    return ExactText(text)
  }

  /// The old text, byte for byte. `null` without quotes is SQL NULL; the empty text is written `''`. Nil when it
  /// cannot be read.
  private mutating func status(_ section: Section) -> ExactText?? {
    guard let field = section.fields["status"] else {
      if section.suspects.contains("status") { return nil }
      report(
        section.path.appending("status"), section.place, "is missing",
        hint: "write the old text, in quotes if it has outer spaces; `null` without quotes is SQL NULL")
      return nil
    }
    if field.isNull {
      // `status:` with nothing behind it may as well be forgotten.
      if field.scalarText?.isEmpty != false {
        report(field, "is empty", hint: "write `''` for the empty text, `null` for SQL NULL")
        return nil
      }
      return .some(nil)
    }
    return text(field, "the old text", hint: "write it in quotes").map { .some(ExactText($0)) } ?? nil
  }
}
