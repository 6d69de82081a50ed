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

  /// The rows that the planner expects, of `EXPLAIN (FORMAT JSON)`.
  static func planRows(_ text: String) -> Int64? {
    struct Node: Decodable {
      let rows: Double
      enum CodingKeys: String, CodingKey { case rows = "Plan Rows" }
    }
    struct Explained: Decodable {
      let plan: Node
      enum CodingKeys: String, CodingKey { case plan = "Plan" }
    }
    guard let plans = try? JSONDecoder().decode([Explained].self, from: Data(text.utf8)) else { return nil }
    return plans.first.flatMap { Int64(exactly: $0.plan.rows.rounded()) }
  }
}
