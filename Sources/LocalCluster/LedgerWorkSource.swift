/// Draws one writer's transactions from a seed, out of what it knows of the ledger. Holds no session.
struct LedgerWorkSource {
  private var generator: SeededGenerator
  private let kinds: [(Kind, Int)]
  /// Transactions that can still move, as this writer last saw them; the oldest give way to new ones.
  private var known: [KnownTransaction] = []
  /// The highest id there was when the traffic began, or that this writer has made since.
  private var highestID: Int64

  private static let knownLimit = 4096

  private enum Kind { case insert, move, history, batch, rollback, savepoint, delete }

  init(seed: UInt64, mix: WorkloadPlan.Mix, highestID: Int64) {
    generator = SeededGenerator(seed: seed)
    self.highestID = highestID
    kinds = [
      (Kind.insert, mix.insert), (.move, mix.move), (.history, mix.history), (.batch, mix.batch),
      (.rollback, mix.rollback), (.savepoint, mix.savepoint), (.delete, mix.delete),
    ].filter { $0.1 > 0 }
  }

  /// The next transaction. What it touches is forgotten until `learn` brings it back.
  mutating func draw() -> LedgerWork {
    switch drawKind() {
    case .insert: return .insert(drawNew())
    case .move:
      guard let (known, next) = takeMove() else { return .insert(drawNew()) }
      return .move(known, to: next)
    case .history:
      guard highestID > 0 else { return .insert(drawNew()) }
      return .history(id: Int64.random(in: 1...highestID, using: &generator))
    case .batch: return .batch(drawSteps(Int.random(in: 2...12, using: &generator)))
    case .rollback: return .rollback(drawSteps(2))
    case .savepoint:
      let steps = drawSteps(2)
      return .savepoint(Array(steps.prefix(1)), undone: Array(steps.dropFirst()))
    case .delete:
      guard let known = takeKnown() else { return .insert(drawNew()) }
      return .delete(known)
    }
  }

  /// A transaction is known to be so now.
  mutating func learn(_ transaction: KnownTransaction) {
    highestID = max(highestID, transaction.id)
    guard !transaction.status.moves.isEmpty else { return }
    if known.count < Self.knownLimit {
      known.append(transaction)
    } else {
      known[Int.random(in: 0..<known.count, using: &generator)] = transaction
    }
  }

  /// A move from the status that was read.
  mutating func drawMove(from status: LegacyStatus) -> LegacyStatus? { status.drawMove(&generator) }

  private mutating func drawKind() -> Kind {
    let total = kinds.reduce(0) { $0 + $1.1 }
    guard total > 0 else { return .insert }
    var draw = Int.random(in: 0..<total, using: &generator)
    for (kind, weight) in kinds {
      draw -= weight
      if draw < 0 { return kind }
    }
    return .insert
  }

  /// Moves first, ids ascending: sessions that lock the same rows then wait for each other in one direction only.
  private mutating func drawSteps(_ count: Int) -> [LedgerStep] {
    var moves: [(KnownTransaction, LegacyStatus)] = []
    var inserts: [LedgerStep] = []
    for _ in 0..<count {
      if Bool.random(using: &generator), let move = takeMove() {
        moves.append(move)
      } else {
        inserts.append(.insert(drawNew()))
      }
    }
    moves.sort { $0.0.id < $1.0.id }
    return moves.map { LedgerStep.move($0.0, to: $0.1) } + inserts
  }

  private mutating func takeMove() -> (KnownTransaction, LegacyStatus)? {
    guard let known = takeKnown(), let next = known.status.drawMove(&generator) else { return nil }
    return (known, next)
  }

  private mutating func takeKnown() -> KnownTransaction? {
    guard !known.isEmpty else { return nil }
    let index = Int.random(in: 0..<known.count, using: &generator)
    known.swapAt(index, known.count - 1)
    return known.popLast()
  }

  private mutating func drawNew() -> NewTransaction {
    let token = String(generator.next() & 0xFF_FFFF_FFFF, radix: 16)
    return NewTransaction(
      cardToken: "tok_" + String(repeating: "0", count: 12 - token.count) + token,
      merchantID: Int32.random(in: 0...65535, using: &generator),
      amount_cents: Int64.random(in: 100...40_099, using: &generator),
      currency: ["EUR", "EUR", "USD", "GBP", "CHF"].randomElement(using: &generator) ?? "EUR",
      status: Int.random(in: 0..<100, using: &generator) < 9 ? .declined : .authorized)
  }
}
