import Glibc
import Operations

/// Writes a file whole or not at all: whoever looks sees the file that was there before, or the new one.
enum WholeFile {
  /// - Throws: A failure that says what could not be done, with exit code 73 or 74.
  static func write(_ text: String, to path: String) throws(Failure) {
    let draft = "\(path).\(getpid()).tmp"
    let descriptor = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw failure(path, errno, ExitCodes.create) }
    var code: Int32 = 0
    do throws(SystemError) {
      try writeAll(Array(text.utf8), to: descriptor, action: "write to \(draft)")
    } catch {
      code = error.code
    }
    if code == 0, fsync(descriptor) != 0 { code = errno }
    // What close reports is the last that the disk has to say of it.
    if close(descriptor) != 0, code == 0 { code = errno }
    if code == 0, rename(draft, path) != 0 { code = errno }
    guard code == 0 else {
      unlink(draft)
      throw failure(path, code, ExitCodes.write)
    }
  }

  private enum ExitCodes {
    static let create: Int32 = 73
    static let write: Int32 = 74
  }

  private static func failure(_ path: String, _ code: Int32, _ exitCode: Int32) -> Failure {
    Failure(
      summary: "\(path) cannot be written: \(String(cString: strerror(code)))",
      hint:
        "name a file in --to that this user may write, on a disk with room; what was there before still is",
      exitCode: exitCode)
  }
}
