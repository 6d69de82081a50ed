internal import Yams

/// The strict forms of single values. Each reports what it cannot take, and returns nil.
extension DefinitionReader {
  /// A text as it is written. Numbers and YAML's truth words are texts too: `off` is the word `off`.
  mutating func text(_ field: Field, _ must: String, hint: String) -> String? {
    guard let scalar = field.node.scalar else {
      report(field, "is \(field.kind), must be \(must)", hint: hint)
      return nil
    }
    guard !hasForeignTag(scalar) else {
      report(field, "has a YAML tag, must be \(must)", hint: "remove the tag (what begins with `!`)")
      return nil
    }
    return scalar.string
  }

  /// A whole number in decimal digits, without quotes.
  mutating func integer(_ field: Field, in range: ClosedRange<Int>) -> Int? {
    let must = "a whole number from \(range.lowerBound) to \(range.upperBound)"
    let hint = "write digits only, without quotes or unit"
    guard let text = text(field, must, hint: hint) else { return nil }
    let isDigits = !text.isEmpty && text.utf8.allSatisfy { UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 }
    guard field.isPlain, isDigits else {
      let found = field.isPlain ? field.kind : "\(field.kind) in quotes"
      report(field, "is \(found), must be \(must)", hint: hint)
      return nil
    }
    guard let value = Int(text), range.contains(value) else {
      report(field, "is \(field.kind), must be \(must)", hint: "choose a number in that range")
      return nil
    }
    return value
  }

  /// `true` or `false`, without quotes.
  mutating func truth(_ field: Field) -> Bool? {
    let must = "`true` or `false`"
    let hint = "write one of these words, without quotes"
    guard let text = text(field, must, hint: hint) else { return nil }
    if field.isPlain, let value = Bool(text) { return value }
    let found = field.isPlain ? field.kind : "\(field.kind) in quotes"
    let meant = [
      "true": "true", "yes": "true", "on": "true", "1": "true",
      "false": "false", "no": "false", "off": "false", "0": "false",
    ][text.lowercased()]
    report(
      field, "is \(found), must be \(must)",
      hint: field.isPlain ? meant.map { "did you mean `\($0)`?" } ?? hint : hint)
    return nil
  }

  /// One of a fixed set of words.
  mutating func choice<Choice>(_ field: Field, _ type: Choice.Type) -> Choice?
  where Choice: CaseIterable & RawRepresentable<String> {
    let words = type.allCases.map(\.rawValue)
    let must = words.count == 1 ? "\(Echo.list(words))" : "one of \(Echo.list(words))"
    let hint = words.count == 1 ? "write \(Echo.list(words)), or remove the key" : "write one of these words"
    guard let text = text(field, must, hint: hint) else { return nil }
    if let value = Choice(rawValue: text) { return value }
    let truths = ["true": "on", "yes": "on", "false": "off", "no": "off"]
    let meant = truths[text.lowercased()].flatMap { words.contains($0) ? $0 : nil }
    let nearest = meant ?? Suggestion.nearest(to: text, among: words)
    report(
      field, "is \(field.kind), must be \(must)",
      hint: nearest.map { "did you mean `\($0)`?" } ?? hint)
    return nil
  }

  /// A size with its binary unit.
  mutating func size(_ field: Field, in range: ClosedRange<ByteCount>) -> ByteCount? {
    let must = "a size from \(range.lowerBound) to \(range.upperBound)"
    let hint = "write digits and one of B, KiB, MiB, GiB: `64MiB`"
    guard let text = text(field, must, hint: hint) else { return nil }
    guard let size = ByteCount(text) else {
      report(field, "is \(field.kind), must be \(must)", hint: binaryUnit(for: text) ?? hint)
      return nil
    }
    return within(size, range, field, must)
  }

  /// A duration with its unit.
  mutating func duration(_ field: Field, in range: ClosedRange<Milliseconds>) -> Milliseconds? {
    let must = "a duration from \(range.lowerBound) to \(range.upperBound)"
    let hint = "write digits and one of ms, s, m, h: `500ms`, `2s`"
    guard let text = text(field, must, hint: hint) else { return nil }
    guard let duration = Milliseconds(text) else {
      report(field, "is \(field.kind), must be \(must)", hint: hint)
      return nil
    }
    return within(duration, range, field, must)
  }

  /// An age with its unit.
  mutating func age(_ field: Field, in range: ClosedRange<Age>) -> Age? {
    let must = "an age from \(range.lowerBound) to \(range.upperBound)"
    let hint = "write digits and one of s, m, h, d: `30d`"
    guard let text = text(field, must, hint: hint) else { return nil }
    guard let age = Age(text) else {
      report(field, "is \(field.kind), must be \(must)", hint: hint)
      return nil
    }
    return within(age, range, field, must)
  }

  /// The elements of a list that is not empty.
  mutating func list(_ field: Field, of must: String, hint: String) -> [Field]? {
    guard case .sequence(let sequence) = field.node, !sequence.isEmpty else {
      let found = field.node.sequence == nil ? "is \(field.kind)" : "is an empty list"
      report(field, "\(found), must be \(must)", hint: hint)
      return nil
    }
    return sequence.enumerated().map { index, node in
      var element = Field(path: field.path.appending(index), node: node)
      if element.place.line < field.place.line { element.place = field.place }
      return element
    }
  }

  private mutating func within<Value: Comparable>(
    _ value: Value, _ range: ClosedRange<Value>, _ field: Field, _ must: String
  ) -> Value? {
    if range.contains(value) { return value }
    report(field, "is \(field.kind), must be \(must)", hint: "choose a value in that range")
    return nil
  }

  /// A tag other than the one that the way of writing implies (`!!str` for what is quoted).
  private func hasForeignTag(_ scalar: Node.Scalar) -> Bool {
    let tag = scalar.tag.description
    return !["", "!", "tag:yaml.org,2002:str"].contains(tag)
  }

  /// The right way to write `64MB`, `64kb` or `64M`, which some read as powers of 1000 and some of 1024.
  private func binaryUnit(for text: String) -> String? {
    let digits = text.prefix { $0.isASCII && $0.isNumber }
    let units = ["k": "KiB", "m": "MiB", "g": "GiB"]
    let unit = text.dropFirst(digits.count).lowercased().filter { !$0.isWhitespace }
    guard !digits.isEmpty, ["", "b", "ib"].contains(String(unit.dropFirst())),
      let name = unit.first.flatMap({ units[String($0)] })
    else { return nil }
    return "did you mean `\(digits)\(name)`? Sizes are powers of 1024"
  }
}
