import ChangeLog
import Derivation
import PGOutput

/// Finds what happened to one row of a slot's table. A value: it takes changes and says what each means for the row.
///
/// The row is followed by its key as given; when the key itself changes, that is where it came from or went.
struct KeyHistory {
  /// What happened to the row.
  enum Event: Hashable {
    case inserted
    case updated
    case deleted
    /// Its key was another before.
    case came(from: [String])
    /// Its key is another now.
    case went(to: [String])
    /// The whole table was emptied.
    case truncated

    var name: String {
      switch self {
      case .inserted: "insert"
      case .updated: "update"
      case .deleted: "delete"
      case .came(let key): "update, key was \(key.joined(separator: ", "))"
      case .went(let key): "update, key is now \(key.joined(separator: ", "))"
      case .truncated: "truncate"
      }
    }
  }

  /// The old column as a change left it.
  enum Status: Hashable {
    /// The row has none: it is gone, or the table has no such column.
    case none
    /// The change did not send it.
    case unchanged
    case null
    case text(String)
    /// Bytes that are no text.
    case bytes([UInt8])
  }

  struct Step: Hashable {
    var position: Position
    var commitTime: Timestamp?
    var xid: TransactionID?
    var event: Event
    var status: Status
    /// The state that the map makes of it; nil where it makes none.
    var code: String?
  }

  let derive: SlotDefinition.Derive
  let key: [String]
  private let map: StateMap

  init(derive: SlotDefinition.Derive, key: [String]) {
    self.derive = derive
    self.key = key
    map = StateMap(derive.map.states)
  }

  /// The table as the log names it.
  var table: String { "\(derive.table.schema.name).\(derive.table.name.name)" }

  /// The row, for those who look for its changes.
  var rows: LogKeys { LogKeys(columns: derive.key.map(\.name), values: [key]) }

  /// What the change means for the row; nil when it is about another.
  func step(_ change: LogChange) throws(ChangeLogError) -> Step? {
    switch change.kind {
    case .message: return nil
    case .truncate: return step(change, .truncated, .none)
    case .delete:
      guard try keys(change.old, in: change) == key else { return nil }
      return step(change, .deleted, .none)
    case .insert:
      guard try keys(change.new, in: change) == key else { return nil }
      return step(change, .inserted, try status(change))
    case .update:
      // A key that did not change is sent with the new row only; one that is too large to be sent again stands in neither.
      let after = try keys(change.new, in: change)
      let before = try keys(change.old, in: change) ?? after
      if after == key {
        return step(change, before == key ? .updated : .came(from: before ?? []), try status(change))
      }
      guard before == key else { return nil }
      return step(change, .went(to: after ?? []), .none)
    }
  }

  private func step(_ change: LogChange, _ event: Event, _ status: Status) -> Step {
    let code: String? =
      switch status {
      case .none, .unchanged: nil
      case .null: map.state(for: nil)?.code.string
      case .text(let text): map.state(for: ExactText(text))?.code.string
      case .bytes(let bytes): map.state(for: ExactText(bytes: bytes))?.code.string
      }
    return Step(
      position: change.position, commitTime: change.transaction.commitTime, xid: change.transaction.xid,
      event: event, status: status, code: code)
  }

  private func keys(
    _ column: (String) throws(ChangeLogError) -> ColumnImage?, in change: LogChange
  ) throws(ChangeLogError) -> [String]? {
    var values: [String] = []
    for identifier in derive.key {
      guard case .text(let text) = Self.status(try column(identifier.name), identifier.name, change) else {
        return nil
      }
      values.append(text)
    }
    return values
  }

  private func status(_ change: LogChange) throws(ChangeLogError) -> Status {
    Self.status(try change.new(derive.from.name), derive.from.name, change)
  }

  /// A column's value as text, from its binary form too where the type is built in.
  private static func status(_ image: ColumnImage?, _ column: String, _ change: LogChange) -> Status {
    switch image {
    case nil: return .none
    case .null: return .null
    case .unchanged: return .unchanged
    case .text(let text): return .text(text)
    case .binary(let bytes):
      guard let type = change.relation?.columns.first(where: { $0.name == column })?.type,
        let form = BinaryForm(builtIn: type)
      else { return .bytes(bytes) }
      var text: [UInt8] = []
      guard form.appendText(of: bytes.rawBytes, to: &text) else { return .bytes(bytes) }
      return String(validating: text, as: UTF8.self).map { .text($0) } ?? .bytes(bytes)
    }
  }
}
