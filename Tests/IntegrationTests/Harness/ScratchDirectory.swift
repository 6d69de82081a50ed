import Glibc
import LocalCluster

/// A directory of its own for one test's slot definition, change log and process output; gone with its last reference.
final class ScratchDirectory: Sendable {
  struct Failure: Error {
    var call: String
    var path: String
    var errno: Int32
  }

  let path: String

  init() throws {
    let parent = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
    var template = Array("\(parent)/crossfade-test-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { throw Failure(call: "mkdtemp", path: parent, errno: errno) }
    path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  deinit {
    // What a failed test leaves behind is small; that it could not be removed is no news to anybody.
    _ = try? ChildProcess.run(["rm", "-rf", "--", path])
  }

  /// Writes a file and gives its path.
  func write(_ text: String, to name: String) throws -> String {
    let file = "\(path)/\(name)"
    guard let stream = fopen(file, "w") else { throw Failure(call: "fopen", path: file, errno: errno) }
    fputs(text, stream)
    guard fclose(stream) == 0 else { throw Failure(call: "fclose", path: file, errno: errno) }
    return file
  }
}
