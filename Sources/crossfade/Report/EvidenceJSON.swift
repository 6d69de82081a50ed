import Migration
import Operations

/// Evidence as one JSON object: the sections by their names, facts and rows by theirs.
struct EvidenceJSON {
  let evidence: Evidence

  var json: JSONValue {
    .object([
      ("slot", .string(evidence.slot)), ("derivation", .string(evidence.derivation)),
      ("holds", evidence.end == nil ? .null : .bool(evidence.faults.isEmpty)),
      ("faults", .array(evidence.faults.map { .string($0) })),
      ("rows", evidence.end.map { .integer(Int64($0.rows)) } ?? .null),
      ("hash", evidence.end.map { .string($0.hash) } ?? .null),
      ("sections", .object(evidence.sections.map { ($0.id, Self.section($0)) })),
    ])
  }

  private static func section(_ section: Evidence.Section) -> JSONValue {
    .object([
      ("title", .string(section.title)), ("sentences", .array(section.sentences.map { .string($0) })),
      ("facts", .object(section.facts.map { ($0.label, value($0.value)) })),
      (
        "rows",
        .array(
          section.tables.flatMap { table in
            table.rows.map { .object(zip(table.columns, $0).map { ($0, value($1)) }) }
          })
      ),
    ])
  }

  private static func value(_ cell: Evidence.Cell) -> JSONValue {
    switch cell {
    case .text(let text), .code(let text): .string(text)
    case .number(let number): .integer(number)
    case .none: .null
    }
  }
}
