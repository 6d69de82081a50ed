import Derivation

/// A slot definition: it stands, or its faults are told in their order, each at a place in the text, and without what
/// stands in the environment's connection string.
enum DefinitionFuzz {
  private static let secret = "hunter2"
  private static let environment = [
    "CROSSFADE_SOURCE": "postgresql://ledger:\(secret)@db/ledger", "NAME": "crossfade", "EMPTY": "",
  ]

  static func check(_ bytes: [UInt8]) throws(Finding) {
    let text = String(decoding: bytes, as: UTF8.self)
    let breaks: Set<Unicode.Scalar> = ["\n", "\r", "\u{85}", "\u{2028}", "\u{2029}"]
    let lines = text.unicodeScalars.count { breaks.contains($0) } + 2
    let definition: SlotDefinition
    do throws(DefinitionErrors) {
      definition = try SlotDefinition.parse(yaml: text, file: "f", environment: environment)
    } catch { return try told(error, lines: lines, text) }
    try stands(definition)
  }

  private static func told(_ errors: DefinitionErrors, lines: Int, _ text: String) throws(Finding) {
    try require(!errors.errors.isEmpty, "refused without a fault")
    for fault in errors.errors {
      try require(
        fault.file == "f" && (1...lines).contains(fault.line) && fault.column >= 1,
        "line \(fault.line), column \(fault.column) of \(lines) lines")
      try require(!fault.problem.isEmpty && !fault.hint.isEmpty, "a fault that says nothing")
    }
    let places = errors.errors.map { [$0.line, $0.column] }
    try require(
      places == places.sorted { $0.lexicographicallyPrecedes($1) }, "faults out of order: \(places)")
    try require(
      text.contains(secret) || !errors.description.contains(secret), "a password is shown: \(errors)")
  }

  private static func stands(_ definition: SlotDefinition) throws(Finding) {
    try require((1...63).contains(definition.slot.utf8.count), "slot \(definition.slot)")
    try require(!definition.derive.key.isEmpty, "no key")
    try require(Set(definition.derive.key).count == definition.derive.key.count, "twice the same key column")
    try require(!definition.derive.key.contains(definition.derive.to), "the new column is a key column")
    if definition.source.revealed.contains(":\(secret)@") {
      try require(!"\(definition.source)".contains(secret), "a password is shown: \(definition.source)")
    }
  }
}
