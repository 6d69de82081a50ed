import Foundation

/// A Swift file of the project.
struct SourceFile: Sendable {
  /// Its path below the package, such as `Sources/PGOutput/LSN.swift`.
  let path: String
  let text: String

  var lines: [Substring] { text.split(separator: "\n", omittingEmptySubsequences: false) }

  /// The modules it imports.
  var imports: [String] {
    lines.compactMap { line in
      line.firstMatch(
        of:
          /^(?:@\w+ )*(?:(?:public|package|internal|fileprivate|private) )?import (?:(?:struct|enum|class|func|protocol|typealias|var|let) )?(\w+)/
      ).map { String($0.1) }
    }
  }
}

/// The package as it lies on disk.
enum SourceTree {
  static let root = URL(filePath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  /// The Swift files below a folder of the package.
  static func files(below folder: String) throws -> [SourceFile] {
    let base = root.appending(path: folder)
    let names = try FileManager.default.subpathsOfDirectory(atPath: base.path)
    return try names.filter { $0.hasSuffix(".swift") }.sorted().map { name in
      SourceFile(
        path: "\(folder)/\(name)",
        text: try String(contentsOf: base.appending(path: name), encoding: .utf8))
    }
  }

  /// The targets, as folders of Sources with Swift files in them.
  static func targets() throws -> [String] {
    let names = try FileManager.default.contentsOfDirectory(atPath: root.appending(path: "Sources").path)
    return try names.filter { try !files(below: "Sources/\($0)").isEmpty }.sorted()
  }

  /// The rooms of docs/architecture.md, from the top of its table downwards.
  static func rooms() throws -> [String] {
    let text = try String(contentsOf: root.appending(path: "docs/architecture.md"), encoding: .utf8)
    return rooms(in: text)
  }

  static func rooms(in text: String) -> [String] {
    text.split(separator: "\n", omittingEmptySubsequences: false).drop { !$0.hasPrefix("| target ") }
      .dropFirst(2)
      .prefix { $0.hasPrefix("|") }
      .flatMap { row in
        row.split(separator: "|").first.map { $0.matches(of: /`([^`]+)`/).map { String($0.1) } } ?? []
      }
  }
}
