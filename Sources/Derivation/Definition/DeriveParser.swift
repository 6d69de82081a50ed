/// Reads `derive:` and what stands under it.
extension DefinitionReader {
  mutating func derive(_ root: Section) -> SlotDefinition.Derive? {
    let example = "write `derive:` with `table:`, `key:`, `from:`, `to:` and `map:` indented under it"
    guard let section = field(root, "derive", required: example).flatMap({ section($0, .derive) }) else {
      return nil
    }
    let layout = field(section, "layout").flatMap { choice($0, SlotDefinition.Layout.self) }
    let table = field(section, "table", required: "write `table: public.transactions`")
      .flatMap { qualifiedName($0, "a table with its schema") }
    let key = field(section, "key", required: "write `key: [id]`").flatMap {
      identifiers($0, "a list of columns")
    }
    let from = field(section, "from", required: "write `from: status`, the old column")
      .flatMap { identifier($0, "a column") }
    let to = field(section, "to", required: "write `to: state_id`, the new column")
      .flatMap { identifier($0, "a column") }
    let map = map(section, of: table)

    if let to, let from, to == from, let field = section.fields["to"] {
      report(field, "is \(field.kind), the same column as `from`", hint: "name the new column")
    }
    if let to, let key, key.contains(to), let field = section.fields["key"] {
      report(
        field, "holds `\(to)`, which this slot writes",
        hint: "name the columns that never change, as the primary key")
    }
    guard let table, let key, let from, let to, let map else { return nil }
    return SlotDefinition.Derive(
      layout: layout ?? .inPlace, table: table, key: key, from: from, to: to, map: map)
  }

  private mutating func map(_ derive: Section, of ledger: QualifiedName?) -> SlotDefinition.Map? {
    let example = "write `map:` with `table:`, `id:`, `code:` and `status:` indented under it"
    guard let section = field(derive, "map", required: example).flatMap({ section($0, .map) }) else {
      return nil
    }
    let table = field(section, "table", required: "write `table: public.transaction_state`")
      .flatMap { qualifiedName($0, "a table with its schema") }
    if let table, table == ledger, let field = section.fields["table"] {
      report(field, "is \(field.kind), the ledger's own table", hint: "name the table that lists the states")
    }
    let id = mapColumn(section, "id", "write `id: id`, the column with the new value")
    let code = mapColumn(section, "code", "write `code: code`, the column with the normalized code")
    let status = mapColumn(section, "status", "write `status: legacy_status`, the column with the old text")
    let columns = [("id", id), ("code", code), ("status", status)]
    for (index, (key, column)) in columns.enumerated() {
      if let column, let other = columns[..<index].first(where: { $0.1 == column }),
        let field = section.fields[key]
      {
        report(field, "is \(field.kind), the same column as `\(other.0)`", hint: "name a column of its own")
      }
    }
    let states = field(section, "states").flatMap { stateList($0) } ?? []
    guard let table, let id, let code, let status else { return nil }
    return SlotDefinition.Map(table: table, id: id, code: code, status: status, states: states)
  }

  private mutating func mapColumn(_ section: Section, _ key: String, _ example: String) -> Identifier? {
    field(section, key, required: example).flatMap { identifier($0, "a column") }
  }
}
