/// What can be said to a backfill, in words: one line, the same on the command line and through the socket.
public enum ControlCommand: Sendable, Equatable {
  /// Rest after the batch under way.
  case pause
  /// Go on.
  case resume
  /// Other limits: the most rows of a batch (0 for the definition's), the most of the time to work.
  case set(batch: Int?, pace: Double?)
  /// What holds it?
  case why
  /// Where does it stand?
  case status

  /// What was said and cannot be done, in a sentence.
  public struct Fault: Error, Sendable, Equatable, CustomStringConvertible {
    /// The sentence.
    public var description: String
  }

  /// How to say it.
  public static let usage = "pause, resume, throttle RATIO, set batch=N pace=SHARE, why, status"

  /// Reads words: `["set", "batch=1000"]`.
  public init(words: [String]) throws(Fault) {
    guard let verb = words.first else { throw Fault(description: "nothing was said; known: \(Self.usage)") }
    let rest = words.dropFirst()
    switch verb {
    case "throttle":
      guard rest.count == 1, let text = rest.first, let ratio = Double(text), (0...0.99).contains(ratio)
      else {
        throw Fault(description: "throttle wants the share of the time to rest, 0 to 0.99: `throttle 0.5`")
      }
      // Hundredths: 1 - 0.9 has more digits than anybody wrote.
      self = .set(batch: nil, pace: (100 - ratio * 100).rounded() / 100)
    case "set": self = try Self.settings(rest)
    case "pause", "resume", "why", "status":
      guard rest.isEmpty else { throw Fault(description: "`\(verb)` stands alone") }
      self = verb == "pause" ? .pause : verb == "resume" ? .resume : verb == "why" ? .why : .status
    default:
      throw Fault(description: "`\(verb.prefix(40))` is not known; known: \(Self.usage)")
    }
  }

  /// Whether it changes anything.
  public var isQuestion: Bool { self == .why || self == .status }

  /// As it is said.
  public var words: String {
    switch self {
    case .pause: "pause"
    case .resume: "resume"
    case .why: "why"
    case .status: "status"
    case .set(let batch, let pace):
      (["set"]
        + [batch.map { $0 == 0 ? "batch=default" : "batch=\($0)" }, pace.map { "pace=\($0)" }].compactMap {
          $0
        })
        .joined(separator: " ")
    }
  }

  private static func settings(_ words: ArraySlice<String>) throws(Fault) -> ControlCommand {
    var batch: Int?
    var pace: Double?
    for word in words {
      let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
      switch (parts.first, parts.count == 2 ? parts[1] : nil) {
      case ("batch", let text?):
        guard let value = text == "default" ? 0 : Int(text), (0...100_000).contains(value) else {
          throw Fault(description: "batch wants 1 to 100000, or `default`: `set batch=1000`")
        }
        batch = value
      case ("pace", let text?):
        guard let value = Double(text), value >= 0.01, value <= 1 else {
          throw Fault(description: "pace wants the share of the time to work, 0.01 to 1: `set pace=0.5`")
        }
        pace = value
      default:
        throw Fault(description: "`set \(word.prefix(40))` is not known; known: batch=N, pace=SHARE")
      }
    }
    guard batch != nil || pace != nil else {
      throw Fault(description: "set wants `batch=N`, `pace=SHARE` or both")
    }
    return .set(batch: batch, pace: pace)
  }
}
