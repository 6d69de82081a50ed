/// What a mistyped word may have been meant to be.
enum Suggestion {
  /// The candidate nearest to `word`, if it is near enough to be worth a question.
  static func nearest(to word: String, among candidates: [String]) -> String? {
    let typed = Array(word.lowercased().unicodeScalars)
    guard typed.count <= 64 else { return nil }
    let ranked = candidates.map {
      (name: $0, distance: distance(typed, Array($0.lowercased().unicodeScalars)))
    }
    guard let best = ranked.min(by: { $0.distance < $1.distance }) else { return nil }
    return best.distance <= max(1, best.name.count / 3) ? best.name : nil
  }

  /// Edits from `a` to `b`: insertions, deletions, substitutions and swaps of neighbours
  /// (optimal string alignment).
  static func distance(_ a: [Unicode.Scalar], _ b: [Unicode.Scalar]) -> Int {
    var twoBack: [Int] = []
    var back = Array(0...b.count)
    for i in a.indices {
      var row = [i + 1]
      for j in b.indices {
        var cost = min(row[j] + 1, back[j + 1] + 1, back[j] + (a[i] == b[j] ? 0 : 1))
        if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] {
          cost = min(cost, twoBack[j - 1] + 1)
        }
        row.append(cost)
      }
      twoBack = back
      back = row
    }
    return back[b.count]
  }
}
