import Glibc

/// A process run to its end: how long, how much processor, how much memory.
struct MeasuredRun {
  /// Wall time in seconds.
  let seconds: Double
  /// User and system time in seconds.
  let processor: Double
  /// Peak resident memory in MiB.
  let peakMiB: Double
  /// The exit code; -1 for a signal.
  let exitCode: Int32

  /// Runs a program with arguments; standard output and error are inherited.
  init(_ arguments: [String]) throws {
    self = try Self.start(arguments).wait()
  }

  /// A process under way.
  struct Running {
    let pid: pid_t
    let began: UInt64

    func signal(_ number: Int32) { kill(pid, number) }

    func wait() throws -> MeasuredRun {
      var status: Int32 = 0
      var usage = rusage()
      guard wait4(pid, &status, 0, &usage) == pid else { throw BenchError("wait4 failed: errno \(errno)") }
      return MeasuredRun(usage: usage, status: status, nanoseconds: MeasuredRun.now - began)
    }
  }

  /// Starts a program.
  static func start(_ arguments: [String], environment added: [String: String] = [:]) throws -> Running {
    var copies = arguments.map { strdup($0) } + [nil]
    let merged = Self.environment(added)
    var variables = merged.map { strdup($0) } + [nil]
    defer { for copy in copies + variables { free(copy) } }
    var pid: pid_t = 0
    let began = now
    let result = posix_spawnp(&pid, arguments[0], nil, nil, &copies, &variables)
    guard result == 0 else { throw BenchError("cannot start \(arguments[0]): errno \(result)") }
    return Running(pid: pid, began: began)
  }

  private init(usage: rusage, status: Int32, nanoseconds: UInt64) {
    seconds = Double(nanoseconds) / 1e9
    processor =
      Double(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) + Double(
        usage.ru_utime.tv_usec + usage.ru_stime.tv_usec)
      / 1e6
    peakMiB = Double(usage.ru_maxrss) / 1024
    exitCode = status & 0x7F == 0 ? (status >> 8) & 0xFF : -1
  }

  private static var now: UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
  }

  private static func environment(_ added: [String: String]) -> [String] {
    var result: [String] = []
    var pointer = environ
    while let entry = pointer.pointee {
      let text = String(cString: entry)
      if let name = text.split(separator: "=", maxSplits: 1).first, added[String(name)] == nil {
        result.append(text)
      }
      pointer += 1
    }
    return result + added.map { "\($0.key)=\($0.value)" }
  }
}
