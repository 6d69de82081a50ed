import Derivation
import PGOutput

extension BatchBuilder {
  /// Writes the key's columns into `scratch`; false when one was not sent.
  mutating func collect(_ tuple: TupleView, _ old: TupleView?, _ relation: TrackedRelation) -> Bool {
    scratch.removeAll(keepingCapacity: true)
    for (place, column) in relation.keyColumns.enumerated() {
      let form = relation.keyForms[place]
      if append(tuple.column(at: column), form, derive.key[place]) { continue }
      // A TOASTed key that did not change is sent with the old row only.
      guard failure == nil, let old, append(old.column(at: column), form, derive.key[place]) else {
        failure =
          failure
          ?? .relationUnfit(
            relation: derive.table.description,
            what: "a change arrived without its key; its replica identity has changed")
        return false
      }
    }
    return true
  }

  private mutating func append(_ value: ColumnValue?, _ form: BinaryForm?, _ column: Identifier) -> Bool {
    guard let value else { return false }
    switch value {
    case .null, .unchanged: return false
    case .text(let bytes): Self.append(bytes, to: &scratch)
    case .binary(let bytes):
      guard readText(of: bytes, form, column) else { return false }
      let copy = text
      Self.append(copy.rawBytes, to: &scratch)
    }
    return true
  }

  private static func append(_ bytes: RawSpan, to scratch: inout [UInt8]) {
    withUnsafeBytes(of: UInt32(truncatingIfNeeded: bytes.byteCount)) { scratch.append(contentsOf: $0) }
    scratch.append(bytes)
  }

  /// Puts the text form of a binary value into `text`; false, with `failure` set, when it cannot be read.
  mutating func readText(of bytes: RawSpan, _ form: BinaryForm?, _ column: Identifier) -> Bool {
    text.removeAll(keepingCapacity: true)
    if let form, form.appendText(of: bytes, to: &text) { return true }
    failure = .relationUnfit(
      relation: derive.table.description, what: "column \(column) came in a binary form that cannot be read")
    return false
  }
}
