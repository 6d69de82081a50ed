import Testing

/// A line of a scenario that cannot be understood.
struct ScenarioSyntaxError: Error, CustomStringConvertible {
  var name: String
  var line: Int
  var what: String

  var description: String { "\(name):\(line): \(what)" }
}

extension Scenario {
  /// Reads a scenario: SQL, comments, `-- key: value` before the line `-- record`, and `--> expected` after it.
  init(name: String, text: String) throws {
    self.name = name
    var reader = StatementReader()
    var isRecording = false
    for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
      let number = index + 1
      let parts = line.firstRange(of: "-->")
      let left = String(parts.map { line[..<$0.lowerBound] } ?? line).trimmed
      if left == "-- record" {
        isRecording = true
      } else if left.hasPrefix("--") {
        let comment = String(left.dropFirst(2)).trimmed
        if index == 0 { title = comment } else if !isRecording { try direct(comment, at: number) }
      } else if let step = reader.take(left, line: number) {
        if isRecording { steps.append(step) } else { setup.append(step) }
      }
      if let parts, isRecording {
        try expect(String(line[parts.upperBound...]).trimmed, at: number)
      }
    }
    guard reader.isBetween, isRecording, !title.isEmpty else {
      throw error(0, "no title, no `-- record`, or a statement without its end")
    }
  }

  private func error(_ line: Int, _ what: String) -> ScenarioSyntaxError {
    ScenarioSyntaxError(name: name, line: line, what: what)
  }

  private mutating func direct(_ comment: String, at line: Int) throws {
    guard let colon = comment.firstIndex(of: ":"), comment[..<colon].allSatisfy({ $0.isLowercase }) else {
      return
    }
    let value = String(comment[comment.index(after: colon)...]).trimmed
    switch comment[..<colon] {
    case "majors": majors = try Self.majors(value) ?? { throw error(line, "no majors: \(value)") }()
    case "encoding": encoding = value
    case "publications": publications = value.split(separator: ",").map { String($0).trimmed }
    case "unstreamable":
      unstreamable = try Self.majors(value) ?? { throw error(line, "no majors: \(value)") }()
    case "awaited":
      awaited = try Self.majors(value) ?? { throw error(line, "no majors: \(value)") }()
    case "known": known = value
    case "options":
      options = value.split(separator: " ").map { word in
        let sides = word.split(separator: "=", maxSplits: 1)
        return StreamOption(name: String(sides[0]), value: sides.count > 1 ? String(sides[1]) : "true")
      }
    default: return
    }
  }

  /// `15..`, `..17`, `14..15` or `15`.
  static func majors(_ text: String) throws -> ClosedRange<Int>? {
    guard let dots = text.firstRange(of: "..") else {
      return Int(text).map { $0...$0 }
    }
    let (low, high) = (text[..<dots.lowerBound], text[dots.upperBound...])
    guard let first = low.isEmpty ? allMajors.lowerBound : Int(low),
      let last = high.isEmpty ? allMajors.upperBound : Int(high), first <= last
    else { return nil }
    return first...last
  }

  /// Takes `[15..] {streamed captured} text`; what begins with ERROR is the statement's, not the stream's.
  private mutating func expect(_ text: String, at line: Int) throws {
    var expectation = Expectation(text: text)
    if let (majors, rest) = Self.guarded(expectation.text, "[", "]") {
      expectation.text = rest
      expectation.majors = try Self.majors(majors) ?? { throw error(line, "no majors: \(majors)") }()
    }
    if let (words, rest) = Self.guarded(expectation.text, "{", "}") {
      expectation.text = rest
      let words = words.split(separator: " ").map(String.init)
      let (modes, judges) = (
        words.compactMap(StreamMode.init), words.compactMap(ScenarioRun.Judge.init)
      )
      guard modes.count + judges.count == words.count else { throw error(line, "no mode: \(words)") }
      if !modes.isEmpty { expectation.modes = Set(modes) }
      if !judges.isEmpty { expectation.judges = Set(judges) }
    }
    guard expectation.text.hasPrefix("ERROR") else {
      expectations.append(expectation)
      return
    }
    guard let last = steps.indices.last, steps[last].line == line else {
      throw error(line, "an error stands beside the end of no statement")
    }
    expectation.text = String(expectation.text.dropFirst("ERROR".count)).trimmed
    steps[last].error = expectation
  }

  /// What stands between the brackets a text begins with, and what follows them.
  private static func guarded(_ text: String, _ open: Character, _ close: Character) -> (String, String)? {
    guard text.first == open, let end = text.firstIndex(of: close) else { return nil }
    return (
      String(text[text.index(after: text.startIndex)..<end]), String(text[text.index(after: end)...]).trimmed
    )
  }
}

/// Puts lines together to statements: one ends with the line that ends with a semicolon, outside of `$$`.
private struct StatementReader {
  private var session = "a"
  private var sql = ""
  private var isQuoted = false

  var isBetween: Bool { sql.isEmpty }

  mutating func take(_ line: String, line number: Int) -> Scenario.Step? {
    guard !line.isEmpty else { return nil }
    var line = line
    if sql.isEmpty {
      session = "a"
      if line.hasPrefix("/*"), let end = line.firstRange(of: "*/") {
        session = String(line[line.index(line.startIndex, offsetBy: 2)..<end.lowerBound]).trimmed
        line = String(line[end.upperBound...]).trimmed
      }
    }
    sql += (sql.isEmpty ? "" : "\n") + line
    if line.ranges(of: "$$").count % 2 == 1 { isQuoted.toggle() }
    guard line.hasSuffix(";"), !isQuoted else { return nil }
    defer { sql = "" }
    return Scenario.Step(session: session, sql: sql, line: number, error: nil)
  }
}

extension String {
  var trimmed: String {
    var rest = self[...]
    while rest.first?.isWhitespace == true { rest.removeFirst() }
    while rest.last?.isWhitespace == true { rest.removeLast() }
    return String(rest)
  }
}
