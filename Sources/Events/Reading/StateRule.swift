import Derivation

/// Which state a change leaves a row in, and which it had before.
///
/// Rules:
/// - an update that moved one of the two columns alone: that column tells, before and after;
/// - where only one of them is in the log (before `expand`, after `contract`): that one;
/// - where the new one is NULL: the old one;
/// - where both say the same: both;
/// - a new row with the new column given: the new one, for who does not know it leaves it out;
/// - without the old row nobody knows what moved: the old column, which the new one follows until the cutover; also where it
///   became NULL, which the new column may follow only a moment later;
/// - an update that moved both to different states is a conflict, and has none;
/// - one that moved neither while they differ has none either: which of them is behind, the row does not tell.
struct StateRule {
  let map: StateMap

  /// What comes of a change.
  struct Outcome: Hashable {
    var state: StateEvent.Reading
    /// The state before; nil where the old row is not in the log, or does not tell.
    var previous: StateEvent.Reading?
    /// Whether the state is another than before; nil when that cannot be told.
    var moved: Bool?

    /// The same where the old row is not in the log, but what was told of it before is known.
    func after(_ previous: StateEvent.Reading) -> Outcome {
      Outcome(state: state, previous: previous, moved: moved ?? (state != previous))
    }
  }

  /// A new row.
  func insert(_ row: ColumnPair) -> Outcome {
    if case .known(.some) = row.to { return Outcome(state: byTo(row), moved: true) }
    return Outcome(state: byFrom(row), moved: true)
  }

  /// A row that is gone; `old` is what it was, where the log has it.
  func delete(_ old: ColumnPair?) -> Outcome {
    Outcome(state: .none(.gone), previous: old.map { standing($0) ?? .none(.unsettled) }, moved: true)
  }

  /// A row that changed.
  func update(_ row: ColumnPair, from old: ColumnPair?) -> Outcome {
    guard let old else {
      // A value that was not sent has not moved.
      let moved: Bool? = row.from == .unchanged ? false : nil
      let isCleared = row.from == .known(nil) && !isWithoutText(row.to)
      return Outcome(state: isCleared ? byFrom(row) : standing(row) ?? byFrom(row), moved: moved)
    }
    let row = ColumnPair(
      from: row.from == .unchanged ? old.from : row.from, to: row.to == .unchanged ? old.to : row.to)
    let fromMoved = row.from != old.from
    let toMoved = row.to != old.to
    switch (fromMoved, toMoved) {
    case (true, false) where row.from != .unpublished: return outcome(byFrom(row), byFrom(old))
    case (false, true) where row.to.isGiven:
      return outcome(byTo(row), old.to.isGiven ? byTo(old) : byFrom(old))
    default:
      let none: StateEvent.Reason = fromMoved && toMoved ? .conflict : .unsettled
      return outcome(standing(row) ?? .none(none), standing(old) ?? .none(.unsettled), fromMoved || toMoved)
    }
  }

  private func outcome(
    _ state: StateEvent.Reading, _ previous: StateEvent.Reading, _ anyMoved: Bool = true
  ) -> Outcome {
    Outcome(state: state, previous: previous, moved: anyMoved && state != previous)
  }

  /// The state of a row as it stands; nil when its columns tell different ones.
  private func standing(_ row: ColumnPair) -> StateEvent.Reading? {
    guard row.to.isGiven else { return byFrom(row) }
    guard row.from != .unpublished else { return byTo(row) }
    let (new, old) = (byTo(row), byFrom(row))
    if new == old { return new }
    if row.from == .known(nil), case .none(.unmapped) = old { return new }
    return nil
  }

  /// Whether it is a state for which there is no old text: NULL then agrees with it.
  private func isWithoutText(_ to: ColumnReading) -> Bool {
    guard case .known(let id?) = to, let state = map.state(id: id) else { return false }
    return state.status == nil
  }

  private func byFrom(_ row: ColumnPair) -> StateEvent.Reading {
    guard case .known(let status) = row.from else { return .none(row.from.reason ?? .unpublished) }
    return map.state(for: status).map { .state($0) } ?? .none(.unmapped)
  }

  private func byTo(_ row: ColumnPair) -> StateEvent.Reading {
    guard case .known(let id?) = row.to else { return .none(row.to.reason ?? .unmapped) }
    return map.state(id: id).map { .state($0) } ?? .none(.unmapped)
  }
}

extension ColumnReading {
  /// Whether it has a value other than NULL.
  fileprivate var isGiven: Bool {
    if case .known(.some) = self { true } else { false }
  }
}
