import Foundation

extension Scenario {
  static let folder = URL(filePath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appending(path: "fixtures/scenarios")

  /// The names of all scenarios there are.
  static let names: [String] = {
    let names = try? FileManager.default.contentsOfDirectory(atPath: folder.path)
    // SCENARIO=018 runs those whose names begin so.
    let prefix = ProcessInfo.processInfo.environment["SCENARIO"] ?? ""
    return (names ?? []).filter { $0.hasSuffix(".sql") && $0.hasPrefix(prefix) }.map {
      String($0.dropLast(4))
    }.sorted()
  }()

  /// Reads a scenario's file.
  static func named(_ name: String) throws -> Scenario {
    try Scenario(
      name: name, text: String(contentsOf: folder.appending(path: "\(name).sql"), encoding: .utf8))
  }
}
