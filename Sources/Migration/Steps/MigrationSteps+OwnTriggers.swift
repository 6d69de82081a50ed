import Derivation
import Postgres

/// Our triggers on the ledger's table, and the functions that they call: their names, and their end.
extension MigrationSteps {
  /// Triggers fire in the order of their names: after those of the application, so that what they set is seen.
  static func triggerName(_ what: String, of slot: String) -> String {
    String("zz_crossfade_\(what)_\(slot)".prefix(Identifier.maximumBytes))
  }

  /// A function's name in schema `crossfade`.
  static func functionName(_ what: String, of slot: String) -> String {
    String("\(what)_\(slot)".prefix(Identifier.maximumBytes))
  }

  /// A function, as statements name it.
  func ownFunction(_ what: String) -> String {
    "crossfade.\(SQLText.identifier(Self.functionName(what, of: definition.slot)))"
  }

  /// What drops triggers and their function, also where they are not there.
  func dropOwn(triggers: [String], function: String) -> [String] {
    triggers.map { "DROP TRIGGER IF EXISTS \(SQLText.identifier($0)) ON \(table)" }
      + ["DROP FUNCTION IF EXISTS \(function)()"]
  }
}
