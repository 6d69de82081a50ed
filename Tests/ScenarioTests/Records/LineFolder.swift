/// Puts neighbouring lines of one transaction together that differ only in numbers which count by the same step each
/// time: `1 INSERT t a=3..5000 b=x`, `1 UPDATE t a=2..100/2`; equal ones as `1 INSERT t a=1 {4 times}`.
///
/// Nothing is lost: from what is shown, each line can be told.
struct LineFolder {
  private struct Run {
    var transaction: Int
    var first: [String]
    var last: [String]
    /// For each word: what the number in it grows by each time; nil where the word stays as it is.
    var steps: [Int?] = []
    var count = 1
  }

  private var done: [String] = []
  private var run: Run?

  /// All lines.
  var lines: [String] { done + text(of: run) }

  /// Adds a line; those of transaction 0 stand outside of any.
  mutating func add(_ transaction: Int, _ words: [String]) {
    if var run, run.transaction == transaction, let steps = Self.steps(from: run.last, to: words),
      run.count == 1 || steps == run.steps
    {
      run.steps = steps
      run.last = words
      run.count += 1
      self.run = run
      return
    }
    // The second of two that made no run may be the first of one.
    if let run, run.count == 2, run.transaction == transaction,
      let steps = Self.steps(from: run.last, to: words)
    {
      done.append(Self.line(run.transaction, run.first))
      self.run = Run(
        transaction: transaction, first: run.last, last: words, steps: steps, count: 2)
      return
    }
    done += text(of: run)
    run = Run(transaction: transaction, first: words, last: words)
  }

  private static func line(_ transaction: Int, _ words: [String]) -> String {
    (transaction == 0 ? words : ["\(transaction)"] + words).joined(separator: " ")
  }

  private func text(of run: Run?) -> [String] {
    guard let run else { return [] }
    guard run.count > 2 else {
      return [Self.line(run.transaction, run.first)]
        + (run.count == 2 ? [Self.line(run.transaction, run.last)] : [])
    }
    var words: [String] = []
    for ((first, last), step) in zip(zip(run.first, run.last), run.steps) {
      guard let step, let (head, from, tail) = Self.number(in: first), let to = Self.number(in: last)?.1
      else {
        words.append(first)
        continue
      }
      words.append("\(head)\(from)..\(to)\(step == 1 ? "" : "/\(step)")\(tail)")
    }
    if run.steps.allSatisfy({ $0 == nil }) { words.append("{\(run.count) times}") }
    return [Self.line(run.transaction, words)]
  }

  private static func steps(from: [String], to: [String]) -> [Int?]? {
    guard from.count == to.count else { return nil }
    var steps: [Int?] = []
    for (from, to) in zip(from, to) {
      if from == to {
        steps.append(nil)
        continue
      }
      guard let a = number(in: from), let b = number(in: to), a.0 == b.0, a.2 == b.2 else { return nil }
      steps.append(b.1 - a.1)
    }
    return steps
  }

  /// The first number after the equals sign, with what stands before and after it.
  private static func number(in word: String) -> (String, Int, String)? {
    guard let equals = word.firstIndex(of: "="),
      var start = word[equals...].firstIndex(where: \.isNumber)
    else { return nil }
    let digits = word[start...].prefix { $0.isASCII && $0.isNumber }
    // With a leading zero it is no number that counts up.
    guard digits.first != "0" || digits.count == 1, var value = Int(digits) else { return nil }
    if word[word.index(after: equals)..<start] == "-" {
      start = word.index(before: start)
      value = -value
    }
    return (String(word[..<start]), value, String(word[digits.endIndex...]))
  }
}
