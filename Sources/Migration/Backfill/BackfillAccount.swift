/// What became of the rows that were looked at. Each is in exactly one of these.
public struct BackfillAccount: Sendable, Equatable {
  /// Rows looked at.
  public var looked: Int64 = 0
  /// They differed, and were written.
  public var written: Int64 = 0
  /// They were right already.
  public var right: Int64 = 0
  /// The map does not know their status: they are in quarantine.
  public var unmapped: Int64 = 0
  /// The server refused to write them: they are in quarantine, with its error.
  public var refused: Int64 = 0
  /// Somebody held them: they are looked at again.
  public var skipped: Int64 = 0
  /// Somebody changed or deleted them while we wrote: they are the stream's.
  public var overtaken: Int64 = 0

  /// Nothing yet.
  public init() {}

  /// Whether the sum is right.
  public var balances: Bool {
    let parts = [written, right, unmapped, refused, skipped, overtaken]
    return parts.allSatisfy { $0 >= 0 } && parts.reduce(0, +) == looked
  }
}

extension BackfillAccount: CustomStringConvertible {
  /// One line, with those parts that there are.
  public var description: String {
    let parts = [
      (right, "right already"), (unmapped, "unmapped"), (refused, "refused"),
      (skipped, "to be looked at again"), (overtaken, "changed meanwhile"),
    ]
    return
      (["\(looked) looked at", "\(written) written"] + parts.filter { $0.0 != 0 }.map { "\($0.0) \($0.1)" })
      .joined(separator: ", ")
  }
}
