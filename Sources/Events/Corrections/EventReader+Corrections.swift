import ChangeLog
import Derivation
import PGOutput

extension EventReader {
  /// The event of a message; nil where it is no correction, or not ours: anybody may send a message, but capture lets none but
  /// ours have our origin in the log. One of ours that cannot be read is a gap: a newer version's, perhaps.
  mutating func correction(
    _ change: LogChange, after position: Position
  ) throws(ChangeLogError) -> StateEvent? {
    guard let origin = change.transaction.origin?.name, OwnMarks.isOrigin(origin, slot: plan.slot) else {
      return nil
    }
    let content = try change.withMessage { message throws(ChangeLogError) -> [UInt8]? in
      guard case .message(let message) = message, message.isTransactional,
        message.prefix.equalsUTF8(of: OwnMarks.correction)
      else { return nil }
      return message.content.byteCount > CorrectionMessage.limit ? [] : [UInt8](message.content)
    }
    guard let content else { return nil }
    guard let told = CorrectionMessage(content, keyColumns: plan.derive.key.count) else {
      forget()
      return StateEvent(
        gap: EventGap(after: position, next: change.transaction.end, reason: "a correction cannot be read"),
        at: change.position)
    }
    note(told.key, .known(told.state.status), .state(told.state))
    return StateEvent(
      kind: .stateCorrected, position: change.position, operation: .update, transaction: change.transaction,
      key: told.key, oldKey: nil, status: .known(told.state.status), state: .state(told.state),
      previous: told.previous.map { .init(status: .unpublished, state: .state($0)) }, columns: [], gap: nil,
      correction: told.correction)
  }
}
