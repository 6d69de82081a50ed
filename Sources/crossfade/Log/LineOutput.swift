import ArgumentParser
import Glibc
import Operations

/// Lines to standard output, a piece at a time. A reader that went away (`| head`) ends them quietly.
struct LineOutput {
  private var bytes: [UInt8] = []

  init() {
    // A closed pipe is to be seen by write(2), not the end of the process.
    signal(SIGPIPE, SIG_IGN)
  }

  mutating func write(_ line: String) throws {
    bytes.append(contentsOf: line.utf8)
    bytes.append(UInt8(ascii: "\n"))
    if bytes.count >= 1 << 16 { try flush() }
  }

  /// Whole lines, each with its end.
  mutating func write(lines: [UInt8]) throws {
    bytes.append(contentsOf: lines)
    if bytes.count >= 1 << 16 { try flush() }
  }

  mutating func flush() throws {
    defer { bytes.removeAll(keepingCapacity: true) }
    do throws(SystemError) {
      try writeAll(bytes, to: STDOUT_FILENO, action: "write to standard output")
    } catch {
      throw Self.answer(error)
    }
  }

  /// What a failing write means: for a closed pipe, that all that was asked for is done.
  static func answer(_ error: SystemError) -> any Error {
    error.isClosedPipe
      ? ExitCode.success
      : Failure(summary: error.description, exitCode: ExitCode.inputOutput.rawValue)
  }
}
