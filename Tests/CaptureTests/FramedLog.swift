import PGOutput

@testable import Capture

/// What a framer makes of a stream: the words that reach the log, and `-END` for each transaction that leaves nothing.
struct FramedLog {
  /// Our origin is `ours`, our mark `Mcrossfade/slot`.
  var framer = StreamFramer(ownOrigin: "ours", ownPrefix: "crossfade", ownContent: "slot")
  private(set) var words: [String] = []
  private var walStart: UInt64 = 0

  var text: String { words.joined(separator: " ") }

  mutating func take(_ stream: String) throws {
    for word in stream.split(separator: " ") { try take(StreamScript.bytes(word)) }
  }

  mutating func take(_ payload: [UInt8]) throws {
    walStart += 1
    let start = walStart
    let action = try payload.withUnsafeBytes { try framer.accept(walStart: start, payload: $0) }
    switch action {
    case .hold, .drop: return
    case .skip(let end):
      words.append("-\(end.rawValue)")
      return
    case .append, .commit:
      words += framer.takeHeld().map { StreamScript.word($0.payload) }
      words.append(StreamScript.word(payload))
    }
  }
}

/// The words that reach the log.
func framed(_ stream: String) throws -> String {
  var log = FramedLog()
  try log.take(stream)
  return log.text
}

/// What the framer refuses a stream for; nil when it takes it.
func violation(_ stream: String) -> String? {
  var log = FramedLog()
  do {
    try log.take(stream)
    return nil
  } catch {
    guard case CaptureError.protocolViolation(let walStart, let what) = error else { return "\(error)" }
    return "\(walStart): \(what)"
  }
}
