import Derivation
import PGOutput

/// The standing `forward`: the row is derived as it stands, so a change tells its key, and whether its status is known.
extension BatchBuilder {
  mutating func addForward(_ change: RowChange, _ relation: TrackedRelation) {
    if let new = change.new {
      guard collect(new, change.old, relation) else { return }
      let index = scratch.withUnsafeBytes { batch.keys.index(of: $0) }
      _ = judge(change, new, relation)
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
    // Those of the transaction under way stand last; a transaction of many unknown values may say one twice.
    for known in batch.unknown.indices.suffix(64).reversed() where batch.unknown[known].position == final {
      if batch.unknown[known].status == status { return Int32(truncatingIfNeeded: known) }
    }
    batch.unknown.append(Unmapped(status: status, position: final))
    return Int32(truncatingIfNeeded: batch.unknown.count - 1)
  }
}
