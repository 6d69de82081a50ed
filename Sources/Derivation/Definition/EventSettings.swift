extension SlotDefinition {
  /// What events are called, and what they carry.
  public struct Events: Hashable, Sendable {
    /// The first word of their types; nil: the table's name without a plural s.
    public var entity: String?
    /// Columns of the table that they carry beside key and state. No other leaves the ledger, where that can be had.
    public var columns: [Identifier]

    /// The settings; each has its default.
    public init(entity: String? = nil, columns: [Identifier] = []) {
      self.entity = entity
      self.columns = columns
    }
  }
}

/// Reads `events:`.
extension DefinitionReader {
  mutating func events(_ root: Section, derive: SlotDefinition.Derive?) -> SlotDefinition.Events {
    var events = SlotDefinition.Events()
    guard let section = optionalSection(root, "events", .events) else { return events }
    if let field = field(section, "entity") {
      let must = "a word of lower-case letters, digits, `_` and `-`"
      let hint = "write `entity: transaction`: types are then `transaction.state.changed` and so on"
      let entity = text(field, must, hint: hint)
      if let entity, Self.isWord(entity) {
        events.entity = entity
      } else if let entity {
        report(field, "is \(Echo.quoted(entity)), must be \(must)", hint: hint)
      }
    }
    if let field = field(section, "columns"), let columns = identifiers(field, "columns of the table") {
      events.columns = columns
      let known = (derive?.key ?? []) + (derive.map { [$0.from, $0.to] } ?? [])
      if let named = columns.first(where: { known.contains($0) }) {
        report(field, "names \(named.name), which every event carries", hint: "remove it")
      }
    }
    return events
  }

  private static func isWord(_ text: String) -> Bool {
    !text.isEmpty && text.utf8.count <= 63
      && text.utf8.allSatisfy { (97...122).contains($0) || (48...57).contains($0) || $0 == 95 || $0 == 45 }
  }
}
