import Glibc

/// Why a child process could not be started or heard.
public enum ChildProcessError: Error, Hashable, Sendable, CustomStringConvertible {
  /// There was no program to start: the argument list was empty.
  case noProgram
  /// An argument or environment entry holds a NUL byte, which no program could receive.
  case embeddedNUL(String)
  /// A system call failed while starting `program`.
  case system(call: String, program: String, errno: Int32)
  /// The program was still running when its time was up, and was killed.
  case timedOut(program: String, after: Duration, output: String)

  /// One sentence with the program and the reason.
  public var description: String {
    switch self {
    case .noProgram: "no program was named"
    case .embeddedNUL(let argument): "an argument holds a NUL byte: \(argument.debugDescription)"
    case .system(let call, let program, let code): "\(program): \(call): \(String(cString: strerror(code)))"
    case .timedOut(let program, let limit, let output):
      "\(program) was still running after \(limit)\(output.isEmpty ? "" : "; it said: \(output)")"
    }
  }
}
