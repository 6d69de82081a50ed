import ChangeLog
import Derivation
import Events
import HTTPTypes
import Hummingbird

/// What a request for events asks for.
struct EventRequest: Sendable {
  var slot: String?
  var start = EventStart.latest
  var limit: Int?
  /// How long the log's end is waited at; nil: for ever.
  var wait: Duration?
  var filter = EventFilter()
  var format = EventFormat.cloudevents
  var framing = EventFraming.lines
  var isCompressed = false

  static let parameters = ["slot", "after", "limit", "wait", "type", "state", "key", "format"]

  /// Reads a request; throws a `Problem` that says what is wrong with it.
  init(_ request: Request) throws {
    let query = request.uri.queryParameters
    guard query.count <= 100 else { throw Problem.badRequest("there are more than 100 parameters") }
    var seen: Set<String> = []
    var limitWaits = true
    for (name, value) in query {
      let (name, value) = (String(name), String(value))
      let repeats = ["type", "state", "key"].contains(name)
      guard Self.parameters.contains(name) else {
        throw Problem.badRequest(
          "there is no parameter \(name.prefix(40)); there are \(Self.parameters.joined(separator: ", "))")
      }
      guard seen.insert(name).inserted || repeats else {
        throw Problem.badRequest("`\(name)` is given more than once")
      }
      switch name {
      case "slot": slot = value
      case "after": start = try Self.start(value, "after")
      case "limit":
        guard let number = Self.number(value), (1...1_000_000).contains(number) else {
          throw Problem.badRequest("`limit` must be 1 to 1000000")
        }
        limit = number
      case "wait":
        wait = try Self.duration(value)
        limitWaits = false
      case "type": filter.types.insert(value)
      case "state": filter.states.insert(ExactText(value))
      case "key": filter.keys.insert(ExactText(value))
      default:
        guard let format = EventFormat(rawValue: value) else {
          throw Problem.badRequest("`format` must be cloudevents or debezium")
        }
        self.format = format
      }
    }
    // A batch ends where the log does, unless it is told to wait.
    if limit != nil, limitWaits { wait = .zero }
    if Self.accepts("text/event-stream", request.headers[.accept]) { framing = .serverSent }
    // A browser that comes back says what it saw last, whatever the address says.
    if let last = request.headers[.lastEventID], !last.isEmpty {
      start = try Self.start(last, "Last-Event-ID")
    }
    isCompressed = Self.accepts("gzip", request.headers[.acceptEncoding])
  }

  private static func start(_ text: String, _ name: String) throws -> EventStart {
    guard let start = EventStart(text) else {
      throw Problem.badRequest(
        "`\(name)` must be earliest, latest, a position such as 16/B374D848.3, or a time such as 2026-11-21T10:00:00Z "
          + "(a + in an address is written %2B)")
    }
    return start
  }

  /// `30s`, `500ms`, `0`.
  private static func duration(_ text: String) throws -> Duration {
    let isMilliseconds = text.hasSuffix("ms")
    let digits = isMilliseconds ? text.dropLast(2) : text.hasSuffix("s") ? text.dropLast() : text[...]
    guard let number = Self.number(digits), number <= 3_600_000,
      isMilliseconds || text == "0" || text.hasSuffix("s"),
      isMilliseconds || number <= 3600
    else { throw Problem.badRequest("`wait` must be 0 to 3600s: `30s`, `500ms`") }
    return isMilliseconds ? .milliseconds(number) : .seconds(number)
  }

  /// Digits alone: `Int` would take a sign.
  private static func number(_ text: some StringProtocol) -> Int? {
    text.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) } ? Int(text) : nil
  }

  /// RFC 9110: what is named, in any case, unless its weight is zero.
  static func accepts(_ name: String, _ header: String?) -> Bool {
    guard let header else { return false }
    return header.split(separator: ",").contains { coding in
      let parts = coding.split(separator: ";").map { $0.filter { !$0.isWhitespace }.lowercased() }
      guard parts.first == name else { return false }
      return !parts.dropFirst().contains { $0.hasPrefix("q=0") && !$0.contains { ("1"..."9").contains($0) } }
    }
  }
}

extension HTTPField.Name {
  /// What a browser's EventSource sends when it comes back.
  static let lastEventID = HTTPField.Name("Last-Event-ID") ?? .accept
  /// Where a stream begins: after this position.
  static let position = HTTPField.Name("Crossfade-Position") ?? .accept
}
