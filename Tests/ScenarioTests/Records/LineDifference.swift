/// How lines differ from what was expected.
enum LineDifference {
  /// All lines: `-` is missing, `+` is too many.
  static func text(_ expected: [String], _ found: [String]) -> String {
    let difference = found.difference(from: expected)
    let removed = Set(difference.removals.map(Self.offset))
    let inserted = Set(difference.insertions.map(Self.offset))
    var lines: [String] = []
    var (left, right) = (0, 0)
    while left < expected.count || right < found.count {
      if left < expected.count, removed.contains(left) {
        lines.append("- " + expected[left])
        left += 1
      } else if right < found.count, inserted.contains(right) {
        lines.append("+ " + found[right])
        right += 1
      } else {
        lines.append("  " + found[right])
        left += 1
        right += 1
      }
    }
    return lines.joined(separator: "\n")
  }

  private static func offset(_ change: CollectionDifference<String>.Change) -> Int {
    switch change {
    case .insert(let offset, _, _), .remove(let offset, _, _): offset
    }
  }
}
