import PGOutput

/// Says of one standing after the other whether every row is right as of a position. A value.
///
/// Under traffic there is always a row on its way, so it does not wait for a moment in which none is. Once everything that was
/// touched up to the position has been looked at, the rows that then look wrong are those that count: when each of them has been
/// judged, or has been written again since, no row that stood at the position is wrong. What looks wrong later is later.
struct VerdictJudge {
  let position: LSN
  /// The last look whose suspects count; nil before everything was looked at.
  private(set) var mark: LSN?

  init(position: LSN) { self.position = position }

  /// The verdict; nil while it is open.
  mutating func note(_ standing: VerifiedStanding) -> VerifiedStanding.Verdict? {
    switch standing.verdict(at: position) {
    case .behind: return nil
    case .undecided:
      guard standing.through >= position, standing.waiting == standing.undecided, let seen = standing.seen
      else { return nil }
      guard let mark else {
        mark = seen.upperBound
        return nil
      }
      return seen.lowerBound > mark ? .verified : nil
    case let verdict: return verdict
    }
  }
}
