/// How far something has come, as one line: bar, percentage, counts, rate, and the time that is left.
public struct Progress: Hashable, Sendable {
  /// What is going on: `backfill`.
  public var title: String
  /// How much is done.
  public var done: UInt64
  /// How much there is; nil where nobody knows, and then neither bar, percentage nor ETA is shown.
  public var total: UInt64?
  /// What is counted: `rows`.
  public var unit: String
  /// How much is done a second just now; nil while nothing has been measured.
  public var rate: Double?
  /// What else to say, at the end: `lag 12.0 KiB`.
  public var note: String

  /// A state of progress from its parts.
  public init(
    title: String, done: UInt64, total: UInt64? = nil, unit: String, rate: Double? = nil, note: String = ""
  ) {
    self.title = title
    self.done = done
    self.total = total
    self.unit = unit
    self.rate = rate
    self.note = note
  }

  /// How long the rest takes at the rate of now; nil where it cannot be told, zero when all is done.
  public var remaining: Duration? {
    guard let total else { return nil }
    if done >= total { return .zero }
    guard let rate, rate.isFinite, rate > 0 else { return nil }
    let seconds = Double(total - done) / rate
    return seconds < 1e9 ? .milliseconds(Int64(seconds * 1_000)) : nil
  }

  /// The line in at most `width` columns, with a bar where there is room for one. Without a width nothing is cut,
  /// and there is no bar: the form for files and pipes.
  public func line(width: Int?) -> String {
    let text = parts.joined(separator: "  ")
    guard let width else { return "\(title): \(text)" }
    let room = width - VisibleText.width(title) - VisibleText.width(text) - 4
    guard let total, total > 0, room >= 10 else { return VisibleText.clipped("\(title)  \(text)", to: width) }
    return "\(title)  \(bar(of: total, columns: min(room, 40)))  \(text)"
  }

  private var parts: [String] {
    var parts: [String] = []
    if let total {
      parts.append(HumanFormat.percentage(done, of: total))
      parts.append("\(HumanFormat.count(done)) of \(HumanFormat.count(total)) \(unit)")
    } else {
      parts.append("\(HumanFormat.count(done)) \(unit)")
    }
    if let rate { parts.append(HumanFormat.rate(rate)) }
    if let remaining, remaining > .zero {
      parts.append("ETA \(HumanFormat.wholeSeconds(remaining))")
    }
    if !note.isEmpty { parts.append(note) }
    return parts
  }

  /// The bar with its brackets: `columns` wide, full only when nothing is missing.
  private func bar(of total: UInt64, columns: Int) -> String {
    let inner = max(1, columns - 2)
    let share = done >= total ? 1 : Double(done) / Double(total)
    let filled = min(inner, Int(share * Double(inner)))
    return "[" + String(repeating: "#", count: filled) + String(repeating: "-", count: inner - filled) + "]"
  }
}
