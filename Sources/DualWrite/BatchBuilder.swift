import ChangeLog
import Derivation
import PGOutput

/// Turns records of the log into batches: which keys were touched, up to which commit.
///
/// A value without socket or clock. Changes to one key coalesce: the row is derived once, as it stands.
struct BatchBuilder {
  private let derive: SlotDefinition.Derive
  private var statuses: StatusSet
  private var relations: [RelationID: TrackedRelation?] = [:]
  private let skipThrough: LSN
  private let forms: [TypeOID: BinaryForm]

  private var final = LSN.invalid
  private var xid: UInt32 = 0
  private var skipping = false
  private var scratch: [UInt8] = []
  /// The text of a binary value.
  private var text: [UInt8] = []

  private(set) var batch: Batch

  /// - Parameters:
  ///   - forms: the binary forms of types that are not built in.
  ///   - skipThrough: transactions that ended here or before are applied already.
  init(
    derive: SlotDefinition.Derive, statuses: StatusSet, forms: [TypeOID: BinaryForm] = [:], skipThrough: LSN,
    capacity: Int
  ) {
    self.derive = derive
    self.statuses = statuses
    self.forms = forms
    self.skipThrough = skipThrough
    batch = Batch(capacity: capacity)
  }

  /// Whether a transaction has begun whose end has not come.
  var isInsideTransaction: Bool { final.isValid }

  /// Goes on with another map; what it knows by now is no longer unknown.
  mutating func use(_ statuses: StatusSet) {
    self.statuses = statuses
    let known = batch.unknown.map { status, _ in
      status.map { statuses.contains($0.rawBytes) } ?? statuses.knowsNull
    }
    for index in 0..<batch.keys.count {
      batch.keys.update(index) { entry in
        if entry.unknown >= 0, known[Int(entry.unknown)] { entry.unknown = -1 }
      }
    }
  }

  /// Takes the batch and goes on with an empty one; a transaction that is under way goes on in it.
  mutating func take(_ empty: Batch) -> Batch {
    let full = batch
    batch = empty
    if isInsideTransaction, !skipping { batch.xids.append(xid) }
    return full
  }

  /// Adds one record.
  mutating func add(_ payload: UnsafeRawBufferPointer, walStart: UInt64) throws(DualWriteError) {
    do throws(DecodeError) {
      switch payload.first {
      case UInt8(ascii: "I"), UInt8(ascii: "U"), UInt8(ascii: "D"):
        guard !skipping else { return }
        guard let change = try RowChange(decoding: payload.bytes) else { return }
        try add(change, walStart)
      default: try addOther(payload.bytes)
      }
    } catch {
      throw .decode(error, walStart: LSN(rawValue: walStart))
    }
    if let failure = takeFailure() { throw failure }
  }

  // A relation that does not fit is kept until the decoding is over: one error type at a time.
  private var failure: DualWriteError?

  private mutating func takeFailure() -> DualWriteError? {
    defer { failure = nil }
    return failure
  }

  private mutating func addOther(_ payload: RawSpan) throws(DecodeError) {
    switch try Message(decoding: payload) {
    case .begin(let begin):
      final = begin.finalLSN
      xid = begin.xid.rawValue
      // The commit record lies before its end: a transaction that begins there was not applied yet.
      skipping = begin.finalLSN < skipThrough
      if !skipping, batch.xids.last != xid { batch.xids.append(xid) }
    case .commit(let commit):
      if !skipping {
        batch.endLSN = commit.endLSN
        batch.transactions += 1
        // A position is a commit's end, which only its commit tells.
        for index in batch.unknown.indices where batch.unknown[index].position == final {
          batch.unknown[index].position = commit.endLSN
        }
      }
      final = .invalid
      skipping = false
    case .relation(let relation):
      do throws(DualWriteError) {
        relations[relation.id] = .some(try TrackedRelation(relation, derive: derive, forms: forms))
      } catch {
        failure = error
      }
    case .truncate(let truncate):
      guard !skipping, truncate.relations.contains(where: { relations[$0] ?? nil != nil }) else { return }
      batch.changes += 1
      batch.keys.removeAll()
      batch.unknown.removeAll()
      batch.truncated = true
    default: return
    }
  }

  private mutating func add(_ change: RowChange, _ walStart: UInt64) throws(DecodeError) {
    guard let relation = relations[change.relation] ?? nil else { return }
    batch.changes += 1
    if let new = change.new {
      guard collect(new, change.old, relation) else { return }
      let index = scratch.withUnsafeBytes { batch.keys.index(of: $0) }
      note(new, relation, index: index)
      // The key itself moved: the row under the old key is gone.
      guard let old = change.old, collect(old, nil, relation) else { return }
      let before = scratch.withUnsafeBytes { batch.keys.index(of: $0) }
      if before != index { gone(before) }
    } else if let old = change.old {
      guard collect(old, nil, relation) else { return }
      gone(scratch.withUnsafeBytes { batch.keys.index(of: $0) })
    }
  }

  private mutating func gone(_ index: Int) {
    batch.keys.update(index) { entry in
      entry.derives = false
      entry.unknown = -1
      entry.tellsStatus = true
    }
  }

  /// What the new row says of its status.
  private mutating func note(_ new: TupleView, _ relation: TrackedRelation, index: Int) {
    var unknown: Int32 = -1
    var tells = false
    if let column = relation.statusColumn, let value = new.column(at: column) {
      switch value {
      case .unchanged: break
      case .null:
        tells = true
        if !statuses.knowsNull { unknown = remember(nil) }
      case .text(let bytes):
        tells = true
        if !statuses.contains(bytes) { unknown = remember([UInt8](bytes)) }
      case .binary(let bytes):
        tells = true
        guard readText(of: bytes, relation.statusForm, derive.from) else { return }
        if !statuses.contains(text.rawBytes) { unknown = remember(text) }
      }
    }
    batch.keys.update(index) { entry in
      entry.derives = true
      if tells {
        entry.unknown = unknown
        entry.tellsStatus = true
      }
    }
  }

  private mutating func remember(_ status: [UInt8]?) -> Int32 {
    if let known = batch.unknown.firstIndex(where: { $0.status == status && $0.position == final }) {
      return Int32(truncatingIfNeeded: known)
    }
    batch.unknown.append((status, final))
    return Int32(truncatingIfNeeded: batch.unknown.count - 1)
  }

  /// Writes the key's columns into `scratch`; false when one was not sent.
  private mutating func collect(
    _ tuple: TupleView, _ old: TupleView?, _ relation: TrackedRelation
  ) -> Bool {
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
  private mutating func readText(of bytes: RawSpan, _ form: BinaryForm?, _ column: Identifier) -> Bool {
    text.removeAll(keepingCapacity: true)
    if let form, form.appendText(of: bytes, to: &text) { return true }
    failure = .relationUnfit(
      relation: derive.table.description, what: "column \(column) came in a binary form that cannot be read")
    return false
  }
}
