import ChangeLog
import Derivation
import PGOutput

/// Reads the log's changes as events of a slot's table. A value; holds no file.
struct RowReader {
  let derive: SlotDefinition.Derive
  /// Binary forms of types that are not built in, where a server could be asked for them.
  var forms: [TypeOID: BinaryForm] = [:]

  /// The table as the log names it.
  var table: String { "\(derive.table.schema.name).\(derive.table.name.name)" }

  /// The event of a change; nil for a message.
  func event(_ change: LogChange) throws(ReplayError) -> RowEvent? {
    let kind: RowEvent.Kind
    switch change.kind {
    case .message: return nil
    case .truncate:
      return RowEvent(
        kind: .truncate, position: change.position, transaction: change.transaction, key: nil, oldKey: nil,
        oldStatus: nil, status: nil)
    case .insert: kind = .insert
    case .update: kind = .update
    case .delete: kind = .delete
    }
    let found: RowEvent?
    do throws(ChangeLogError) {
      found =
        try change.withRow { row, relation throws(ChangeLogError) in event(kind, row, relation, change) }
        ?? nil
    } catch {
      throw .log(error)
    }
    guard let found else {
      throw .unfit(
        position: change.position,
        what: "a change of \(table) came without its key \(derive.key.map(\.name).joined(separator: ", "))")
    }
    return found
  }

  private func event(
    _ kind: RowEvent.Kind, _ row: borrowing RowChange, _ relation: Relation, _ change: LogChange
  ) -> RowEvent? {
    let columns = derive.key.compactMap { relation.columnIndex(named: $0.name) }
    guard columns.count == derive.key.count else { return nil }
    let before: RowKey? = if let old = row.old { self.key(old, columns, relation, else: nil) } else { nil }
    // A large key that did not change is sent with the old row only.
    let after: RowKey? = if let new = row.new { self.key(new, columns, relation, else: row.old) } else { nil }
    guard let key = kind == .delete ? before : after else { return nil }
    let column = relation.columnIndex(named: derive.from.name)
    var oldStatus: RowEvent.Status?
    if row.oldKind == .full, let old = row.old { oldStatus = status(old, column, relation) }
    let newStatus: RowEvent.Status? = if let new = row.new { status(new, column, relation) } else { nil }
    return RowEvent(
      kind: kind, position: change.position, transaction: change.transaction, key: key,
      oldKey: kind == .update && before != nil && before != key ? before : nil, oldStatus: oldStatus,
      status: newStatus)
  }

  private func key(
    _ tuple: TupleView, _ columns: [Int], _ relation: Relation, else other: TupleView?
  ) -> RowKey? {
    var values: [ExactText] = []
    for column in columns {
      if let value = text(tuple, column, relation) {
        values.append(value)
      } else if let other, let value = text(other, column, relation) {
        values.append(value)
      } else {
        return nil
      }
    }
    return RowKey(values)
  }

  private func status(_ tuple: TupleView, _ column: Int?, _ relation: Relation) -> RowEvent.Status {
    guard let column, let value = tuple.column(at: column) else { return .unpublished }
    switch value {
    case .null: return .known(nil)
    case .unchanged: return .unchanged
    case .text, .binary: return text(tuple, column, relation).map { .known($0) } ?? .unreadable
    }
  }

  /// A value's text; nil when there is none, or none that can be read.
  private func text(_ tuple: TupleView, _ column: Int, _ relation: Relation) -> ExactText? {
    guard let value = tuple.column(at: column) else { return nil }
    switch value {
    case .null, .unchanged: return nil
    case .text(let bytes): return ExactText(bytes: [UInt8](bytes))
    case .binary(let bytes):
      let type = relation.columns[column].type
      guard let form = BinaryForm(builtIn: type) ?? forms[type] else { return nil }
      var text: [UInt8] = []
      return form.appendText(of: bytes, to: &text) ? ExactText(bytes: text) : nil
    }
  }
}
