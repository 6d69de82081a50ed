public import PGOutput
public import Postgres

/// What is verified of a slot's table, and as of which position: what a cutover asks. A value.
///
/// A pass looks at every row up to `bound` after `since`; following the stream looks again at every row that a
/// transaction touched later, up to `through` - rows beyond the bound, and rows the pass had not come to, among them. So
/// when the pass is done, every row is verified as of `through`. Rows that are gone cannot be wrong: TRUNCATE takes
/// nothing away.
public struct VerifiedStanding: Sendable, Equatable {
  /// Everything up to here was applied when the pass began.
  public var since: LSN
  /// Every row touched up to here has been looked at since it was.
  public var through: LSN
  /// The last key when the pass began; nil for an empty table.
  public var bound: [String]?
  /// Up to which key the pass has come.
  public var lastKey: [String]?
  /// Whether the pass has come to its end.
  public var isWhole: Bool
  /// Rows the pass has looked at.
  public var rows: Int64
  /// Rows that are wrong.
  public var mismatches: Int64
  /// Rows that look wrong and are not judged.
  public var undecided: Int64
  /// How many of these wait to be judged.
  public var waiting: Int64 = 0
  /// The first and last position at which those were seen.
  public var seen: ClosedRange<LSN>?
  /// Why nothing of it counts any more: the map has changed, or the log has a gap.
  public var invalid: String?

  /// Whether everything committed up to a position is verified, and if not, why.
  public enum Verdict: Sendable, Equatable {
    /// Every row is right as of the position.
    case verified
    /// It does not count any more.
    case invalid(reason: String)
    /// The pass has not come to its end, only to this key.
    case unfinished(lastKey: [String]?)
    /// Rows are wrong.
    case differences(Int64)
    /// Rows look wrong and are not judged.
    case undecided(Int64)
    /// What was touched after `through` has not been looked at again.
    case behind(through: LSN)
  }

  /// What can be said as of a position: the WAL position after the last write that matters.
  public func verdict(at position: LSN) -> Verdict {
    if let invalid { return .invalid(reason: invalid) }
    guard isWhole else { return .unfinished(lastKey: lastKey) }
    if mismatches > 0 { return .differences(mismatches) }
    if undecided > 0 { return .undecided(undecided) }
    return through >= position ? .verified : .behind(through: through)
  }

  /// What is recorded for a slot; nil where nothing was ever verified.
  public static func load(
    slot: String, on connection: Connection
  ) throws(PostgresError) -> VerifiedStanding? {
    guard try VerifySchema.exists(on: connection) else { return nil }
    // One snapshot for both tables.
    let rows = try connection.query(
      """
      SELECT count(r.key), min(r.seen), max(r.seen) FROM crossfade.verification AS v
        LEFT JOIN crossfade.verification_row AS r ON r.slot = v.slot AND r.kind = '\(OpenRow.suspect)' WHERE v.slot = $1
      """, [.text(slot)], purpose: "read what is verified")
    guard let state = try VerifyStore(slot: slot, connection: connection).load() else { return nil }
    let ends = (rows[0, 1].flatMap { LSN($0) }, rows[0, 2].flatMap { LSN($0) })
    return VerifiedStanding(state, suspects: rows.integer(0, 0) ?? 0, seen: ends)
  }

  init(_ state: PassState, suspects: Int64, seen: (first: LSN?, last: LSN?) = (nil, nil)) {
    waiting = suspects
    if let first = seen.first, let last = seen.last, first <= last { self.seen = first...last }
    since = state.since
    through = state.followed
    bound = state.bound
    lastKey = state.lastKey
    isWhole = state.finished
    rows = state.found.rows
    mismatches = state.found.mismatches
    undecided = state.found.undecided + suspects
    invalid = state.invalid
  }
}

extension VerifiedStanding.Verdict: CustomStringConvertible {
  /// The verdict in a sentence.
  public var description: String {
    switch self {
    case .verified: "every row is verified"
    case .invalid(let reason): "what was verified does not count any more: \(reason)"
    case .unfinished(let key):
      "the verification has come to \(key.map { "key \($0.joined(separator: ", "))" } ?? "no row") only"
    case .differences(let count): "\(count) rows are wrong"
    case .undecided(let count): "\(count) rows look wrong and are not judged"
    case .behind(let through): "what was touched after \(through) has not been looked at again"
    }
  }
}
