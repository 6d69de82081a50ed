/// How the map table differs from the states that a slot definition lists.
public enum StateMapDifference: Hashable, Sendable {
  /// A listed state whose id the table does not hold.
  case missing(State)
  /// A row whose id is not listed (or is NULL).
  case unexpected(StateRow)
  /// A row whose code or status is not the listed one.
  case different(expected: State, found: StateRow)

  /// What must change for the table to hold what `expected` lists: listed states in their order, then the
  /// unexpected rows in theirs.
  public static func between(expected: [State], found: [StateRow]) -> [StateMapDifference] {
    var unclaimed = Dictionary(grouping: found.indices) { found[$0].id }
    var differences: [StateMapDifference] = []
    for state in expected {
      guard let row = unclaimed[state.id]?.first else {
        differences.append(.missing(state))
        continue
      }
      unclaimed[state.id]?.removeFirst()
      if found[row] != StateRow(state) { differences.append(.different(expected: state, found: found[row])) }
    }
    return differences + unclaimed.values.joined().sorted().map { .unexpected(found[$0]) }
  }
}
