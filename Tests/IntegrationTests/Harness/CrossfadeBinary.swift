import Glibc

/// The executable under test.
enum CrossfadeBinary {
  enum Missing: Error, CustomStringConvertible {
    case notBuilt(path: String)

    var description: String {
      switch self {
      case .notBuilt(let path):
        "no executable at \(path): `swift build` makes it; CROSSFADE_BINARY names another"
      }
    }
  }

  /// What CROSSFADE_BINARY names, or the one built beside the tests.
  static func path() throws -> String {
    let path: String
    if let named = getenv("CROSSFADE_BINARY") {
      path = String(cString: named)
    } else {
      let own = CommandLine.arguments.first ?? ""
      let directory = own.split(separator: "/", omittingEmptySubsequences: false).dropLast()
      path = directory.joined(separator: "/") + "/crossfade"
    }
    guard access(path, X_OK) == 0 else { throw Missing.notBuilt(path: path) }
    return path
  }
}
