import Foundation
import LocalCluster

/// The program under test: `CROSSFADE_BINARY`, or the one that was built beside the tests.
enum CrossfadeBinary {
  struct NotFound: Error, CustomStringConvertible {
    var description: String { "no crossfade binary: build it, or name it in CROSSFADE_BINARY" }
  }

  static func path() throws -> String {
    if let given = ProcessInfo.processInfo.environment["CROSSFADE_BINARY"] { return given }
    // The test bundle is an argument of the program that runs it, or that program itself.
    let candidates = CommandLine.arguments.filter { $0.contains(".xctest") || $0.contains("/") }.map {
      argument in
      let bundle = argument.range(of: ".xctest").map { String(argument[..<$0.lowerBound]) } ?? argument
      return URL(fileURLWithPath: bundle).deletingLastPathComponent().appendingPathComponent("crossfade").path
    }
    let root = URL(fileURLWithPath: #filePath).pathComponents.dropLast(3).joined(separator: "/")
    let all = candidates + ["\(root)/.build/debug/crossfade"]
    guard let found = all.first(where: { FileManager.default.isExecutableFile(atPath: $0) }) else {
      throw NotFound()
    }
    return found
  }
}
