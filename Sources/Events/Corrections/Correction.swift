public import ChangeLog
import Derivation

/// What Crossfade told, in the transaction that did it, of a row whose state it settled.
public struct Correction: Hashable, Sendable {
  /// Why it was written.
  public enum Cause: String, Hashable, Sendable, CaseIterable {
    /// A retry released the row from quarantine.
    case quarantine
    /// A replay repaired it.
    case replay
  }

  /// Why it was written.
  public let cause: Cause
  /// The change that is corrected, or its whole transaction, as far as it is known.
  public let corrects: Position?
}

/// A correction as its message has it: one JSON object. `CorrectionSQL` of the dual-write makes it.
struct CorrectionMessage: Hashable {
  var correction: Correction
  var key: [ExactText]
  /// The state that was written.
  var state: State
  /// The state that the row had, by the new column.
  var previous: State?

  /// Most bytes that are looked at: a key is never longer than a page or two.
  static let limit = 1 << 20

  /// Reads a message's content; nil when it is none, or of a key of another number of columns.
  init?(_ content: [UInt8], keyColumns: Int) {
    guard content.count <= Self.limit, let object = FlatObject(content),
      let cause = object.text("cause").flatMap({ Correction.Cause(rawValue: $0.string) }),
      let key = object.texts("key"), key.count == keyColumns,
      let state = object.state("state", "code", status: object.text("status"))
    else { return nil }
    var corrects: Position?
    if let position = object.text("corrects") {
      guard let position = Position(position.string) else { return nil }
      corrects = position
    }
    correction = Correction(cause: cause, corrects: corrects)
    self.key = key
    self.state = state
    previous = object.state("was", "was_code", status: nil)
  }
}

extension FlatObject {
  /// A state, from the members of its id and code; nil when one is missing or null.
  fileprivate func state(_ id: String, _ code: String, status: ExactText?) -> State? {
    guard let id = text(id), let code = text(code) else { return nil }
    return State(id: id, code: code, status: status)
  }
}
