import PGOutput

/// The values of a row's two columns, to be compared later.
struct PairValues: Equatable, Sendable {
  var from: [UInt8]?
  var to: [UInt8]?
}

/// What the transaction under way does to its keys: the last word on each counts, and none before its end.
///
/// All its versions of a row carry the same number, so nothing of it may be written before all of it is read.
struct StagedTransaction {
  /// What the transaction leaves for a key.
  indirect enum Outcome: Equatable, Sendable {
    /// What was intended for this key before the transaction; it may be another key, which moved here.
    case inherit(KeyBytes)
    case settle
    case derive(Way)
    case refuse(Refused)
    /// Gone; with what it would have been otherwise, should it come back (a row that changes partition).
    case gone(before: Outcome)
  }

  /// A row that is left as it is, with what its change told: the map may know it by the time it is sent.
  struct Refused: Equatable, Sendable {
    var sight: Sight
    var refusal: Verdict.Refusal
    var pair: PairValues
  }

  private(set) var outcomes: [KeyBytes: Outcome] = [:]
  /// The keys in the order of their first change.
  private(set) var order: [KeyBytes] = []
  /// What the change right before removed, where its pair was told: a row that changes both key and partition comes as a delete
  /// and an insert.
  private(set) var lastRemoved: (key: KeyBytes, pair: PairValues)?
  /// Rows that came under a key without agreeing, for the case that nothing is intended for them.
  var travelled: [KeyBytes: Refused] = [:]
  /// Whether the table was truncated: nothing from before stands.
  private(set) var isTruncated = false

  var count: Int { order.count }

  /// A row that is there after a change.
  ///
  /// - Parameter moved: the key it had before, when that was another.
  mutating func note(_ course: Verdict.Course, key: KeyBytes, moved: KeyBytes? = nil, refused: Refused? = nil)
  {
    lastRemoved = nil
    let before = outcome(of: moved ?? key)
    if let moved, moved != key { set(moved, .gone(before: .settle)) }
    switch course {
    case .settle: set(key, .settle)
    case .keep: set(key, before)
    case .derive(let way): set(key, .derive(way))
    case .refuse: set(key, refused.map { .refuse($0) } ?? .settle)
    }
  }

  /// A row that is gone after a change.
  mutating func remove(_ key: KeyBytes, pair: PairValues?) {
    set(key, .gone(before: outcome(of: key)))
    lastRemoved = pair.map { (key, $0) }
  }

  mutating func truncate() {
    outcomes = [:]
    order = []
    lastRemoved = nil
    travelled = [:]
    isTruncated = true
  }

  mutating func removeAll() {
    outcomes.removeAll(keepingCapacity: true)
    order.removeAll(keepingCapacity: true)
    lastRemoved = nil
    travelled.removeAll(keepingCapacity: true)
    isTruncated = false
  }

  /// What stands for a key so far, as if it were there.
  private func outcome(of key: KeyBytes) -> Outcome {
    switch outcomes[key] {
    case nil: .inherit(key)
    case .gone(let before): before
    case .some(let outcome): outcome
    }
  }

  private mutating func set(_ key: KeyBytes, _ outcome: Outcome) {
    if outcomes.updateValue(outcome, forKey: key) == nil { order.append(key) }
  }
}

extension IntentionBook {
  /// Takes in a transaction that is whole.
  ///
  /// - Parameters:
  ///   - version: its number, which is that of the row versions it left outside of savepoints.
  ///   - position: its end.
  mutating func take(_ transaction: StagedTransaction, version: UInt32, position: LSN) {
    if transaction.isTruncated { forgetAll() }
    // Keys may have changed places: what each inherits is looked up before anything is replaced.
    let inherited = transaction.order.map { key -> Intention? in
      guard case .inherit(let source)? = transaction.outcomes[key] else { return nil }
      return pending[source]
    }
    for (key, intention) in zip(transaction.order, inherited) {
      if case .derive(let way)? = transaction.outcomes[key] {
        intend(way, key: key, version: version, position: position)
      } else if let intention {
        goOn(intention, key: key, version: version)
      } else {
        forget(key)
      }
    }
  }
}
