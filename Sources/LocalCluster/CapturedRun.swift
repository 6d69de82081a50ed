import Glibc

/// What a program that ran to its end printed, and how it ended.
public struct CapturedRun: Hashable, Sendable {
  /// How it ended.
  public let status: ProcessStatus
  /// Its standard output and standard error as they came, malformed UTF-8 repaired.
  public let output: String

  /// The output without white space at either end.
  public var trimmed: String {
    var text = output[...]
    while let last = text.last, last.isWhitespace { text.removeLast() }
    return String(text.drop(while: \.isWhitespace))
  }
}

extension ChildProcess {
  /// Runs a program to its end and captures what it prints.
  ///
  /// Reading stops when the program itself has ended, even if a grandchild still holds the pipe.
  /// When `limit` is over the program is killed and `ChildProcessError.timedOut` thrown.
  public static func run(
    _ arguments: [String], environment: [String: String?] = [:], within limit: Duration = .seconds(60)
  ) throws(ChildProcessError) -> CapturedRun {
    let program = arguments.first ?? ""
    var ends: [Int32] = [-1, -1]
    guard pipe(&ends) == 0 else { throw .system(call: "pipe", program: program, errno: errno) }
    let (reading, writing) = (ends[0], ends[1])
    defer { close(reading) }
    // Not inherited by anything started meanwhile; the child's copy is made by dup2, which clears the flag.
    _ = fcntl(reading, F_SETFD, FD_CLOEXEC)
    _ = fcntl(writing, F_SETFD, FD_CLOEXEC)
    _ = fcntl(reading, F_SETFL, O_NONBLOCK)

    let child: ChildProcess
    do {
      defer { close(writing) }
      child = try ChildProcess(
        arguments, environment: environment, output: .descriptor(writing), errors: .descriptor(writing))
    }
    let end = ContinuousClock.now + limit
    var collected: [UInt8] = []
    while true {
      let ended = child.status  // Before the reading: what it wrote in its life is then all there.
      let isOpen = drain(reading, into: &collected)
      if let ended {
        return CapturedRun(status: ended, output: String(decoding: collected, as: UTF8.self))
      }
      if ContinuousClock.now >= end {
        child.stop(SIGKILL)
        let output = String(decoding: collected.suffix(2000), as: UTF8.self)
        throw .timedOut(program: program, after: limit, output: output)
      }
      if isOpen {
        var waited = pollfd(fd: reading, events: Int16(POLLIN), revents: 0)
        poll(&waited, 1, 10)
      } else {
        usleep(1000)
      }
    }
  }

  /// Reads what is there. Answers false at end of file.
  private static func drain(_ descriptor: Int32, into bytes: inout [UInt8]) -> Bool {
    while true {
      let count = withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 65536) { buffer in
        let count = read(descriptor, buffer.baseAddress, buffer.count)
        if count > 0 { bytes.append(contentsOf: buffer[..<count]) }
        return count
      }
      if count == 0 { return false }
      if count < 0 { return errno == EAGAIN || errno == EINTR }
    }
  }
}
