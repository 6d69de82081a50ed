/// What the house forbids, as functions from a text to complaints.
enum StyleRules {
  /// What no file of Sources may hold. Put together here, so that this file does not break the rule it states.
  static let forbidden: [(text: String, why: String)] = [
    ("fatal" + "Error(", "an error has a type and reaches the edge"),
    ("try" + "!", "an error has a type and reaches the edge"),
    ("as" + "! ", "a cast that fails must be answered"),
    (" TO" + "DO", "a stub is not finished"),
    ("/" + "work/", "a path of somebody's machine"),
    ("/" + "root/", "a path of somebody's machine"),
    ("/" + "home/", "a path of somebody's machine"),
    ("/" + "Users/", "a path of somebody's machine"),
  ]

  static let longestFile = 500

  static func wording(_ file: SourceFile) -> [String] {
    file.lines.enumerated().flatMap { number, line in
      forbidden.filter { line.contains($0.text) }.map {
        "\(file.path):\(number + 1) has `\($0.text)`: \($0.why)"
      }
    }
  }

  static func length(_ file: SourceFile) -> [String] {
    let count = file.lines.count
    return count > longestFile ? ["\(file.path) has \(count) lines, more than \(longestFile)"] : []
  }

  /// A root file begins with a comment that says in a sentence what the target is for.
  static func purpose(_ target: String, root: SourceFile?) -> [String] {
    guard let root else { return ["\(target) has no root file \(target).swift"] }
    let comment = root.lines.prefix { $0.hasPrefix("//") }
      .map { $0.drop { $0 == "/" || $0 == " " } }.joined(separator: " ")
    return comment.contains(".") && comment.contains(" ")
      ? [] : ["\(root.path) does not begin with a sentence of purpose"]
  }

  /// A room imports only what stands above it, and only one room each touches libpq and LZ4.
  static func imports(_ file: SourceFile, target: String, rooms: [String]) -> [String] {
    guard let own = rooms.firstIndex(of: target) else { return ["\(target) is not in docs/architecture.md"] }
    let owners = ["CLibPQ": "Postgres", "CLZ4": "ChangeLog", "CZlib": "Subscriptions"]
    return file.imports.compactMap { module in
      if target == "PGOutput" { return "\(file.path) imports \(module): PGOutput imports nothing" }
      if let owner = owners[module], owner != target {
        return "\(file.path) imports \(module), which is \(owner)'s alone"
      }
      guard let other = rooms.firstIndex(of: module), other >= own else { return nil }
      return "\(file.path) imports \(module), which does not stand above \(target)"
    }
  }
}
