internal import Yams

/// Reads `backfill.signals:`.
extension DefinitionReader {
  mutating func signals(_ root: Section) -> SlotDefinition.Signals {
    var signals = SlotDefinition.Signals()
    guard let section = optionalSection(root, "signals", .signals) else { return signals }
    for signal in SlotDefinition.Signal.allCases {
      guard let field = field(section, signal.rawValue) else { continue }
      if field.isPlain, field.scalarText == "off" {
        signals.limits[signal] = nil
      } else if let limit = limit(field, signal.unit) {
        signals.limits[signal] = limit
      }
    }
    if let path = field(section, "flag_file").flatMap({ text($0, "a path", hint: "write a file's path") }) {
      signals.flagFile = path
    }
    let hint = "\(SectionSchema.query.example) for each, or remove the key"
    if let elements = field(section, "queries").flatMap({ list($0, of: "a list of queries", hint: hint) }) {
      signals.queries = elements.compactMap { query($0) }
    }
    return signals
  }

  /// A limit alone, or a mapping of `limit` and `on_unknown`.
  private mutating func limit(_ field: Field, _ unit: SlotDefinition.Signal.Unit) -> Limit? {
    guard case .mapping = field.node else { return value(field, unit).map { Limit($0) } }
    guard let section = section(field, .signal) else { return nil }
    let unknown = onUnknown(section)
    guard let entry = self.field(section, "limit", required: "write `limit:` with its value"),
      let number = value(entry, unit)
    else { return nil }
    return Limit(number, onUnknown: unknown)
  }

  private typealias Limit = SlotDefinition.SignalLimit

  private mutating func onUnknown(_ section: Section) -> SlotDefinition.OnUnknown {
    field(section, "on_unknown").flatMap { choice($0, SlotDefinition.OnUnknown.self) } ?? .stop
  }

  private mutating func value(_ field: Field, _ unit: SlotDefinition.Signal.Unit) -> Double? {
    switch unit {
    case .duration:
      return duration(field, in: Milliseconds(1)...Milliseconds(7 * 86_400_000)).map { Double($0.count) }
    case .size:
      return size(field, in: ByteCount(bytes: 1)...ByteCount(bytes: 1 << 50)).map { Double($0.bytes) }
    case .count: return integer(field, in: 1...1_000_000_000).map { Double($0) }
    case .percent:
      let hint = "write digits and the sign: `20%`"
      guard let text = text(field, "1% to 100%", hint: hint) else { return nil }
      guard text.hasSuffix("%"), let number = Int(text.dropLast()), (1...100).contains(number) else {
        report(field, "is \(field.kind), must be 1% to 100%", hint: hint)
        return nil
      }
      return Double(number)
    }
  }

  private mutating func query(_ field: Field) -> SlotDefinition.SignalQuery? {
    guard let section = section(field, .query) else { return nil }
    let example = SectionSchema.query.example
    let name = self.field(section, "name", required: example).flatMap { text($0, "a name", hint: example) }
    let sql = self.field(section, "sql", required: example).flatMap { text($0, "a query", hint: example) }
    let limit = self.field(section, "limit").map { value($0, .count) } ?? 1
    let unknown = onUnknown(section)
    guard let name, let sql, let limit else { return nil }
    return SlotDefinition.SignalQuery(
      name: name, sql: sql, limit: SlotDefinition.SignalLimit(limit, onUnknown: unknown))
  }
}
