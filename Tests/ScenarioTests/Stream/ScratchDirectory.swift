import Glibc
import LocalCluster

/// A directory of its own for one scenario's change logs; gone with its last reference.
final class ScratchDirectory: Sendable {
  struct Failure: Error { var errno: Int32 }

  let path: String

  init() throws {
    let parent = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
    var template = Array("\(parent)/crossfade-scenario-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { throw Failure(errno: errno) }
    path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  deinit {
    // What a failed test leaves behind is small; that it could not be removed is no news to anybody.
    _ = try? ChildProcess.run(["rm", "-rf", "--", path])
  }
}
