import Foundation

/// An array of strings as PostgreSQL's `to_json` writes it: the one way to get a text array out unambiguously.
enum JSONStrings {
  static func parse(_ text: String) -> [String]? {
    try? JSONDecoder().decode([String].self, from: Data(text.utf8))
  }

  static func write(_ values: [String]) -> String {
    guard let data = try? JSONEncoder().encode(values) else { return "[]" }
    return String(decoding: data, as: UTF8.self)
  }
}
