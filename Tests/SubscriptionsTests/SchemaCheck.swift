import Foundation

/// As much of JSON Schema 2020-12 as our own descriptions use; any other keyword is a fault, so that none is passed over.
struct SchemaCheck {
  /// The documents that a `$ref` may name, by their names; "" is the one at hand.
  let documents: [String: Any]

  /// What is wrong with a value, each with its path; empty when nothing is.
  func faults(_ value: Any, _ schema: Any, in document: String = "", at path: String = "$") -> [String] {
    guard let schema = schema as? [String: Any] else { return ["\(path): no schema"] }
    var found: [String] = []
    for (keyword, rule) in schema {
      switch keyword {
      case "$schema", "$id", "$defs", "title", "description", "format", "default": continue
      case "$ref":
        guard let (target, document) = resolve("\(rule)", in: document) else {
          found.append("\(path): \(rule) names nothing")
          continue
        }
        found += faults(value, target, in: document, at: path)
      case "type":
        let allowed = rule as? [String] ?? [rule as? String ?? ""]
        if !allowed.contains(where: { Self.isA(value, $0) }) { found.append("\(path) is not \(allowed)") }
      case "const", "enum":
        let allowed = rule as? [Any] ?? [rule]
        if !allowed.contains(where: { "\($0)" == "\(value)" }) {
          found.append("\(path) is \(value), not of \(allowed)")
        }
      case "required":
        let members = value as? [String: Any] ?? [:]
        for name in rule as? [String] ?? [] where value is [String: Any] && members[name] == nil {
          found.append("\(path).\(name) is missing")
        }
      case "properties", "additionalProperties": continue
      case "items":
        for (index, item) in (value as? [Any] ?? []).enumerated() {
          found += faults(item, rule, in: document, at: "\(path)[\(index)]")
        }
      case "oneOf":
        let passing = (rule as? [Any] ?? []).map { faults(value, $0, in: document, at: path) }
        if passing.count(where: \.isEmpty) != 1 { found.append("\(path) fits not exactly one: \(passing)") }
      case "pattern":
        if let text = value as? String, text.range(of: "\(rule)", options: .regularExpression) == nil {
          found.append("\(path) does not match \(rule)")
        }
      case "minLength": if let text = value as? String, text.isEmpty { found.append("\(path) is empty") }
      case "minimum":
        if let number = value as? Int, number < rule as? Int ?? 0 { found.append("\(path) is \(number)") }
      case "maximum":
        if let number = value as? Int, number > rule as? Int ?? 0 { found.append("\(path) is \(number)") }
      default: found.append("\(path): \(keyword) is no keyword that is checked here")
      }
    }
    return found + members(value, schema, in: document, at: path)
  }

  private func members(_ value: Any, _ schema: [String: Any], in document: String, at path: String)
    -> [String]
  {
    guard let members = value as? [String: Any] else { return [] }
    let known = schema["properties"] as? [String: Any] ?? [:]
    return members.flatMap { name, member -> [String] in
      if let rule = known[name] { return faults(member, rule, in: document, at: "\(path).\(name)") }
      switch schema["additionalProperties"] {
      case nil: return []
      case let allowed as Bool: return allowed ? [] : ["\(path).\(name) is not described"]
      case let rule?: return faults(member, rule, in: document, at: "\(path).\(name)")
      }
    }
  }

  /// What a reference names, and the document it stands in.
  func resolve(_ reference: String, in document: String) -> (Any, String)? {
    let parts = reference.split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false)
    let name = parts[0].isEmpty ? document : String(parts[0])
    guard var found = documents[name] else { return nil }
    for step in (parts.count > 1 ? parts[1] : "").split(separator: "/") {
      guard let next = (found as? [String: Any])?[String(step)] else { return nil }
      found = next
    }
    return (found, name)
  }

  private static func isA(_ value: Any, _ type: String) -> Bool {
    // Foundation on Linux makes numbers of both.
    let isBoolean = value is Bool && (value as? NSNumber).map { String(cString: $0.objCType) == "c" } ?? true
    switch type {
    case "object": return value is [String: Any]
    case "array": return value is [Any]
    case "string": return value is String
    case "null": return value is NSNull
    case "boolean": return isBoolean
    case "integer": return !isBoolean && value is Int
    default: return false
    }
  }
}
