public import Logging

/// How a log line is written.
public enum LogFormat: String, CaseIterable, Sendable {
  /// For people: `2026-11-21T10:00:00.123Z info  capture: message key=value`.
  case text
  /// For machines, an object a line: `{"ts":...,"level":...,"logger":...,"msg":...,"key":"value"}`.
  case json

  /// One line, without its newline. `metadata` is written in the order of its keys.
  public func line(
    at time: UTCInstant, level: Logger.Level, logger: String, message: String, metadata: Logger.Metadata
  ) -> String {
    let fields = metadata.sorted { $0.key < $1.key }
    switch self {
    case .text:
      let head = "\(time) \(Self.shortName(of: level)) \(VisibleText.escaped(logger)): "
      let tail = fields.map { " \(Self.word($0.key))=\(Self.word(Self.text(of: $0.value)))" }
      return head + VisibleText.escaped(message) + tail.joined()
    case .json:
      let own: [(key: String, value: JSONValue)] = [
        ("ts", .string(time.description)), ("level", .string(level.rawValue)), ("logger", .string(logger)),
        ("msg", .string(message)),
      ]
      let taken = Set(own.map(\.key))
      let others = fields.map { key, value in
        (key: taken.contains(key) ? "\(key)_" : key, value: Self.json(of: value))
      }
      return JSONValue.object(own + others).compact
    }
  }

  /// Five columns, so that what follows stands in line.
  private static func shortName(of level: Logger.Level) -> String {
    switch level {
    case .trace: "trace"
    case .debug: "debug"
    case .info: "info "
    case .notice: "note "
    case .warning: "warn "
    case .error: "error"
    case .critical: "crit "
    }
  }

  /// A word as it is; anything else in double quotes with JSON's escapes.
  private static func word(_ text: String) -> String {
    let isWord =
      !text.isEmpty && text == VisibleText.escaped(text)
      && text.unicodeScalars.allSatisfy { $0 != "\"" && $0 != "=" && !$0.properties.isWhitespace }
    return isWord ? text : VisibleText.escaped(JSONValue.string(text).compact)
  }

  private static func text(of value: Logger.MetadataValue) -> String {
    switch value {
    case .string(let text): text
    case .stringConvertible(let value): value.description
    case .array, .dictionary: json(of: value).compact
    }
  }

  private static func json(of value: Logger.MetadataValue) -> JSONValue {
    switch value {
    case .string(let text): .string(text)
    case .stringConvertible(let value): scalar(value)
    case .array(let values): .array(values.map { json(of: $0) })
    case .dictionary(let values):
      .object(values.sorted { $0.key < $1.key }.map { (key: $0.key, value: json(of: $0.value)) })
    }
  }

  /// Numbers and truth values stay what they are; everything else is a text.
  private static func scalar(_ value: any CustomStringConvertible & Sendable) -> JSONValue {
    switch value {
    case let value as Bool: .bool(value)
    case let value as any FixedWidthInteger:
      Int64(exactly: value).map { .integer($0) } ?? .string(value.description)
    case let value as Double: .number(value)
    default: .string(value.description)
    }
  }
}
