public import PGOutput

/// The one position model of Crossfade: which committed transaction, and which change in it.
///
/// A cursor, a checkpoint, a replay's start and a verification's witness are all positions. They are ordered by
/// the commit's end LSN, then by the ordinal; never by the LSN of a row change.
public struct Position: Hashable, Comparable, Sendable {
  /// `Commit.end_lsn` of the transaction.
  public let endLSN: LSN

  /// The number of the change in its transaction, from 0. `Position.whole` means "after all of them".
  public let ordinal: UInt64

  /// The ordinal that stands for the whole transaction.
  public static let whole = UInt64.max

  /// A position from its parts; without an ordinal, the whole transaction.
  public init(endLSN: LSN, ordinal: UInt64 = Position.whole) {
    self.endLSN = endLSN
    self.ordinal = ordinal
  }

  /// By commit end, then by ordinal.
  public static func < (a: Position, b: Position) -> Bool {
    a.endLSN != b.endLSN ? a.endLSN < b.endLSN : a.ordinal < b.ordinal
  }

  /// `16/B374D848` for a whole transaction, `16/B374D848.3` for a change in it.
  public var description: String {
    ordinal == Self.whole ? "\(endLSN)" : "\(endLSN).\(ordinal)"
  }
}

extension Position: LosslessStringConvertible {
  /// Reads what `description` gives.
  public init?(_ description: String) {
    let parts = description.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
    guard let first = parts.first, let end = LSN(String(first)) else { return nil }
    guard parts.count == 2 else {
      self.init(endLSN: end)
      return
    }
    guard end.isValid, parts[1].utf8.allSatisfy({ (48...57).contains($0) }), let ordinal = UInt64(parts[1]),
      ordinal != Self.whole
    else { return nil }
    self.init(endLSN: end, ordinal: ordinal)
  }
}
