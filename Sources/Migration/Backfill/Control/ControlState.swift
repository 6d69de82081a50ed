/// What an operator wants of the backfill. Kept in `crossfade.control`: it outlives the process.
public struct ControlState: Sendable, Equatable {
  /// Whether it is to rest until it is told otherwise.
  public var isPaused = false
  /// The most of the time that it may work, above 0 and up to 1.
  public var pace = 1.0
  /// The most rows of a batch; nil for the definition's.
  public var batch: Int?
  /// Who said so last, and when, as the server writes it.
  public var by: String?
  /// When.
  public var at: String?

  /// Nothing asked for.
  public init() {}

  /// What a command makes of it.
  public mutating func apply(_ command: ControlCommand) {
    switch command {
    case .pause: isPaused = true
    case .resume: isPaused = false
    case .set(let batch, let pace):
      if let batch { self.batch = batch == 0 ? nil : batch }
      if let pace { self.pace = pace }
    case .why, .status: break
    }
  }

  /// Those that are not as they are by themselves: `pace 0.5, batch 1000`.
  public var settings: String? {
    var parts: [String] = []
    if pace < 1 { parts.append("pace \(pace)") }
    if let batch { parts.append("batch \(batch)") }
    return parts.isEmpty ? nil : parts.joined(separator: ", ")
  }
}
