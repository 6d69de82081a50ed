/// Puts environment variables into a text: `${NAME}`, `${NAME:-default}` (for what is unset or empty, as in a
/// shell), and `$$` for a dollar sign. A `$` before anything else stands for itself.
enum VariableExpansion {
  /// Why a text cannot be expanded; `opening` is the text to look for in the line, to point at the place.
  struct Problem: Error, Hashable {
    var opening: String
    var problem: String
    var hint: String
  }

  /// The expanded text, or everything that stands in its way.
  static func expand(_ text: String, environment: [String: String]) -> Result<String, Problems> {
    var output = String.UnicodeScalarView()
    var problems: [Problem] = []
    var rest = text.unicodeScalars[...]
    while let scalar = rest.popFirst() {
      guard scalar == "$", let next = rest.first, next == "$" || next == "{" else {
        output.append(scalar)
        continue
      }
      rest.removeFirst()
      guard next == "{" else {
        output.append("$")
        continue
      }
      guard let close = rest.firstIndex(of: "}") else {
        problems.append(
          Problem(
            opening: "${", problem: "has a `${` without its `}`",
            hint: "close it, or write `$$` for a dollar sign"))
        break
      }
      let reference = String(rest[..<close])
      rest = rest[rest.index(after: close)...]
      switch value(of: reference, environment) {
      case .success(let value): output.append(contentsOf: value.unicodeScalars)
      case .failure(let problem): problems.append(problem)
      }
    }
    return problems.isEmpty ? .success(String(output)) : .failure(Problems(list: problems))
  }

  /// One or more problems.
  struct Problems: Error, Hashable {
    var list: [Problem]
  }

  private static func value(of reference: String, _ environment: [String: String]) -> Result<String, Problem>
  {
    let name = String(reference.prefix { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") })
    let rest = reference.dropFirst(name.count)
    guard let first = name.first, !first.isNumber, rest.isEmpty || rest.hasPrefix(":-") else {
      return .failure(
        Problem(
          opening: "${\(reference)}", problem: "has a `${...}` that does not name a variable",
          hint: "write `${NAME}` or `${NAME:-default}`, and `$$` for a dollar sign"))
    }
    let value = environment[name] ?? ""
    if !value.isEmpty { return .success(value) }
    if !rest.isEmpty { return .success(String(rest.dropFirst(2))) }
    let state = environment[name] == nil ? "not set" : "empty"
    return .failure(
      Problem(
        opening: "${\(name)", problem: "the environment variable \(name) is \(state)",
        hint: "set \(name) before starting, or give a default: `${\(name):-...}`"))
  }
}

extension DefinitionReader {
  /// A text with its variables expanded; each fault is reported where its variable stands.
  mutating func expanded(_ field: Field, _ must: String, hint: String) -> String? {
    guard let text = text(field, must, hint: hint) else { return nil }
    switch VariableExpansion.expand(text, environment: environment) {
    case .success(let value):
      guard value.contains(where: { !$0.isWhitespace }) else {
        report(field, "is empty, must be \(must)", hint: hint)
        return nil
      }
      return value
    case .failure(let problems):
      for problem in problems.list {
        var place = field.place
        if let column = lines.column(of: problem.opening, line: place.line, from: place.column) {
          place.column = column
        }
        report(field.path, place, problem.problem, hint: problem.hint)
      }
      return nil
    }
  }
}
