import Derivation
import PGOutput

/// The standing `both`: each change tells which column its writer meant. What follows is intended when the transaction is whole.
extension BatchBuilder {
  mutating func addCourse(_ change: RowChange, _ relation: TrackedRelation) {
    guard let new = change.new else {
      guard let old = change.old, collect(old, nil, relation) else { return }
      staged.remove(scratch, pair: pair(of: old, relation, isWhole: change.oldKind == .full))
      return
    }
    guard collect(new, change.old, relation) else { return }
    guard relation.toColumn != nil, relation.statusColumn != nil else {
      addUnsent(change, new, relation)
      return
    }
    guard let judged = judge(change, new, relation) else {
      failure = .relationUnfit(
        relation: derive.table.description,
        what: "column \(derive.from) or \(derive.to) came in a binary form that cannot be read")
      return
    }
    let key = scratch
    let pair = pairs.pair
    var moved = judged.moved
    let (sight, verdict) = (judged.sight, judged.verdict)
    if let old = change.old, collect(old, nil, relation), scratch != key { moved = scratch }
    guard case .refuse(let refusal) = verdict.course else {
      staged.note(verdict.course, key: key, moved: moved)
      if moved != nil, verdict.course == .keep {
        staged.travelled[key] = .init(sight: sight, refusal: .contradiction, pair: pair)
      }
      return
    }
    staged.note(
      verdict.course, key: key, moved: moved,
      refused: .init(sight: sight, refusal: refusal, pair: pair))
  }

  /// A change that came without one of the columns, which the publication did not send then: what its writer meant is not told, and
  /// will not be, whatever is published now. The row as it stands decides whether a human must look.
  private mutating func addUnsent(_ change: RowChange, _ new: TupleView, _ relation: TrackedRelation) {
    let key = scratch
    let judged = judge(change, new, relation)
    var moved = judged?.moved
    if let old = change.old, collect(old, nil, relation), scratch != key { moved = scratch }
    // Nobody means NULL by it: the old column decides, which the server knows.
    if let judged, judged.sight.toIsNull {
      staged.note(judged.verdict.course, key: key, moved: moved)
      return
    }
    staged.note(
      .refuse(.unsent), key: key, moved: moved,
      refused: .init(sight: judged?.sight ?? Sight(), refusal: .unsent, pair: PairValues()))
  }

  private mutating func pair(of old: TupleView, _ relation: TrackedRelation, isWhole: Bool) -> PairValues? {
    guard isWhole, let to = relation.toColumn, let from = relation.statusColumn else { return nil }
    var (fromCell, toCell) = (PairCell(), PairCell())
    guard fromCell.read(old, from, relation.statusForm),
      toCell.read(old, to, relation.toForm)
    else { return nil }
    return PairValues(from: fromCell.value, to: toCell.value)
  }

  /// The transaction is whole: what it leaves is intended, and told to the quarantine.
  mutating func endCourse(_ end: LSN) {
    if staged.isTruncated { truncateBatch() }
    book.take(staged, version: xid, position: end)
    for key in staged.order {
      guard let outcome = staged.outcomes[key] else { continue }
      switch outcome {
      case .inherit(let source):
        // A row that waits for a human made a younger version of itself.
        if let place = unknownPlace(of: source), source == key { batch.unknown[place].version = xid }
        // Nothing was intended for a row that came under this key and does not agree: it waits for a human, too.
        if let refused = staged.travelled[key], book.pending[key] == nil {
          refuse(key, Unmapped(refused, position: end, version: xid))
        }
      case .refuse(let refused): refuse(key, Unmapped(refused, position: end, version: xid))
      case .settle, .derive, .gone:
        let index = key.withUnsafeBytes { batch.keys.index(of: $0) }
        batch.keys.update(index) { entry in
          entry.unknown = -1
          entry.tellsStatus = true
        }
      }
    }
    staged.removeAll()
  }

  /// Puts a row into quarantine with this batch.
  mutating func refuse(_ key: KeyBytes, _ unmapped: Unmapped) {
    batch.unknown.append(unmapped)
    let place = Int32(truncatingIfNeeded: batch.unknown.count - 1)
    let index = key.withUnsafeBytes { batch.keys.index(of: $0) }
    batch.keys.update(index) { entry in
      entry.unknown = place
      entry.tellsStatus = true
    }
  }

  private func unknownPlace(of key: KeyBytes) -> Int? {
    guard !batch.unknown.isEmpty, let index = key.withUnsafeBytes({ batch.keys.find($0) }) else { return nil }
    let place = Int(batch.keys.entries[index].unknown)
    return batch.unknown.indices.contains(place) ? place : nil
  }

  /// Judges a refused row by the map as it is now.
  mutating func judgeAgain(_ unmapped: Unmapped, _ before: Sight, _ index: Int) {
    switch unmapped.refusal {
    case .contradiction, .untold, .unbridged, .unsent: return
    case .unknownStatus, .unknownState: break
    }
    var sight = before
    sight.agreement = statuses.agreement(from: PairCell(unmapped.status), to: PairCell(unmapped.state))
    let course = Verdict(sight).course
    if case .refuse(let refusal) = course {
      // Known by now, and still not to be derived: for another reason.
      let place = Int(batch.keys.entries[index].unknown)
      if batch.unknown.indices.contains(place) { batch.unknown[place].refusal = refusal }
      return
    }
    if case .derive(let way) = course {
      book.intend(way, key: batch.keys.key(at: index), version: unmapped.version, position: unmapped.position)
    }
    batch.keys.update(index) { $0.unknown = -1 }
  }
}

extension Unmapped {
  fileprivate init(_ refused: StagedTransaction.Refused, position: LSN, version: UInt32) {
    self.init(
      status: refused.pair.from, position: position, refusal: refused.refusal, sight: refused.sight,
      state: refused.pair.to, version: version)
  }
}
