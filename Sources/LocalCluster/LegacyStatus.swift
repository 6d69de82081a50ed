/// A card transaction's state, and the text that years of card processing left in the old column for it.
///
/// The raw value is the id in `transaction_state` (`fixtures/state-map.sql`).
public enum LegacyStatus: Int, CaseIterable, Hashable, Sendable {
  /// The issuer said yes; money is reserved.
  case authorized = 1
  /// The merchant asked for the money.
  case captured
  /// The money has moved.
  case settled
  /// The issuer said no.
  case declined
  /// The authorization was taken back before settlement.
  case reversed
  /// The merchant gave the money back.
  case refunded
  /// The cardholder disputed it.
  case chargeback
  /// Nobody captured it in time.
  case expired

  /// The old column's text, to the byte.
  public var text: String {
    switch self {
    case .authorized: "AUTH"
    case .captured: "CAPTURED"
    case .settled: "Settled"
    case .declined: "DECLINED"
    case .reversed: "reversed"
    case .refunded: "REFUNDED"
    case .chargeback: "CHARGE BACK"
    case .expired: "EXPIRED"
    }
  }

  /// The state of an old text; nil for a text that stands for none. Compared byte by byte.
  public init?(text: String) {
    guard let found = Self.allCases.first(where: { $0.text.utf8.elementsEqual(text.utf8) }) else {
      return nil
    }
    self = found
  }

  /// Where it may go from here, each with its weight; empty for a final state.
  public var moves: [(to: LegacyStatus, weight: Int)] {
    switch self {
    case .authorized: [(.captured, 90), (.reversed, 7), (.expired, 3)]
    case .captured: [(.settled, 96), (.reversed, 4)]
    case .settled: [(.refunded, 90), (.chargeback, 10)]
    case .chargeback: [(.settled, 40), (.refunded, 60)]
    case .declined, .reversed, .refunded, .expired: []
    }
  }

  /// A move drawn by weight; nil for a final state.
  func drawMove(_ generator: inout SeededGenerator) -> LegacyStatus? {
    let moves = moves
    let total = moves.reduce(0) { $0 + $1.weight }
    guard total > 0 else { return nil }
    var draw = Int.random(in: 0..<total, using: &generator)
    for move in moves {
      draw -= move.weight
      if draw < 0 { return move.to }
    }
    return nil
  }
}
