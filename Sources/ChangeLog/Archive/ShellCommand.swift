import Glibc
import Synchronization

/// A shell command that is run for one file after the other: `/bin/sh -c`, with no input, no descriptor of ours, and an
/// environment without our connection strings; ended with all it started when it takes too long.
public struct ShellCommand: Sendable {
  /// What is run.
  public let template: ShellTemplate
  /// How long one run may take.
  public let timeout: Duration

  /// A command; unless told otherwise it may take ten minutes.
  public init(_ template: ShellTemplate, timeout: Duration = .seconds(600)) {
    self.template = template
    self.timeout = timeout
  }

  /// How long it has between SIGTERM and SIGKILL.
  private static let grace = Duration.seconds(2)
  /// How much of what it prints is kept: the end.
  private static let outputLimit = 4096

  /// The groups of processes that are at work: the shells' numbers.
  private static let groups = Mutex<Set<pid_t>>([])

  /// Kills all that the commands of this process have started: for one that ends at once.
  package static func killAll() {
    groups.withLock { groups in for group in groups { kill(-group, SIGKILL) } }
  }

  /// Runs it for a file, and waits for its end.
  ///
  /// - Parameter isStopped: asked several times a second; the command is ended when it says so.
  func run(path: String, name: String, isStopped: () -> Bool = { false }) -> CommandOutcome {
    guard let line = template.line(path: path, name: name) else {
      return CommandOutcome(
        .notStarted("the path \(path) holds characters that a shell would read; use another directory"))
    }
    var ends: [Int32] = [-1, -1]
    guard pipe(&ends) == 0 else { return CommandOutcome(.notStarted("no pipe: \(systemMessage(errno))")) }
    let (reading, writing) = (ends[0], ends[1])
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    defer { close(reading) }
    let started = Self.spawn(line, output: writing)
    close(writing)
    switch started {
    case .failure(let problem): return CommandOutcome(.notStarted("/bin/sh: \(systemMessage(problem.errno))"))
    case .success(let pid):
      Self.groups.withLock { _ = $0.insert(pid) }
      defer { Self.groups.withLock { _ = $0.remove(pid) } }
      return wait(for: pid, output: reading, isStopped)
    }
  }

  private func wait(for pid: pid_t, output: Int32, _ isStopped: () -> Bool) -> CommandOutcome {
    var printed: [UInt8] = []
    let deadline = MonotonicTime(after: timeout)
    var ending: CommandOutcome.End?
    _ = fcntl(output, F_SETFL, O_NONBLOCK)
    var status: Int32 = 0
    while true {
      let found = waitpid(pid, &status, WNOHANG)
      if found == pid { break }
      // Who ignores SIGCHLD never learns how its children end.
      if found < 0, errno != EINTR { return CommandOutcome(.notStarted("waitpid: \(systemMessage(errno))")) }
      if isStopped() {
        ending = .stopped
      } else if deadline?.millisecondsLeft == 0 {
        ending = .timedOut(timeout)
      }
      guard ending != nil else {
        Self.drain(output, into: &printed, waiting: 20)
        continue
      }
      // The whole group: what the shell started would go on without it.
      kill(-pid, SIGTERM)
      _ = Self.ended(pid, &status, within: Self.grace, output, &printed)
      kill(-pid, SIGKILL)
      _ = Self.ended(pid, &status, within: .seconds(60), output, &printed)
      break
    }
    Self.drain(output, into: &printed, waiting: 0)
    return CommandOutcome(ending ?? .init(status: status), output: String(decoding: printed, as: UTF8.self))
  }

  private static func ended(
    _ pid: pid_t, _ status: inout Int32, within limit: Duration, _ output: Int32, _ printed: inout [UInt8]
  ) -> Bool {
    let deadline = MonotonicTime(after: limit)
    while deadline?.millisecondsLeft != 0 {
      let found = waitpid(pid, &status, WNOHANG)
      if found == pid || (found < 0 && errno == ECHILD) { return true }
      drain(output, into: &printed, waiting: 20)
    }
    return false
  }

  /// Takes what it has printed, up to some 64 KiB: one that prints without end is to be ended too. A pipe that is closed, by one who goes on, is no more to be waited for.
  private static func drain(_ descriptor: Int32, into printed: inout [UInt8], waiting milliseconds: Int32) {
    var request = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    let ready = poll(&request, 1, milliseconds)
    withUnsafeTemporaryAllocation(byteCount: 4096, alignment: 8) { buffer in
      var got = 1
      var rounds = 16
      while ready > 0, got > 0, rounds > 0 {
        rounds -= 1
        got = read(descriptor, buffer.baseAddress, buffer.count)
        if got > 0 { printed.append(contentsOf: buffer[..<got]) }
      }
      if ready > 0, got == 0, milliseconds > 0 { usleep(UInt32(milliseconds) * 1000) }
    }
    if printed.count > outputLimit { printed.removeFirst(printed.count - outputLimit) }
  }
}

extension ShellCommand {
  private struct SpawnProblem: Error { let errno: Int32 }

  private static func spawn(_ line: String, output: Int32) -> Result<pid_t, SpawnProblem> {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
    posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO)
    posix_spawn_file_actions_adddup2(&actions, output, STDERR_FILENO)
    // Ours are closed at exec; one that somebody else opened otherwise is closed by name.
    for name in (try? Directory.names(in: "/proc/self/fd")) ?? [] {
      guard let descriptor = Int32(name), descriptor > STDERR_FILENO, descriptor != output else { continue }
      posix_spawn_file_actions_addclose(&actions, descriptor)
    }
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    var none = sigset_t()
    sigemptyset(&none)
    posix_spawnattr_setsigmask(&attributes, &none)
    var all = sigset_t()
    sigfillset(&all)
    posix_spawnattr_setsigdefault(&attributes, &all)
    posix_spawnattr_setpgroup(&attributes, 0)
    let flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP
    posix_spawnattr_setflags(&attributes, Int16(truncatingIfNeeded: flags))
    let arguments = cStrings(["/bin/sh", "-c", line])
    let variables = cStrings(environment)
    defer { for pointer in arguments + variables { free(pointer) } }
    var pid: pid_t = 0
    let code = posix_spawn(&pid, "/bin/sh", &actions, &attributes, arguments, variables)
    return code == 0 ? .success(pid) : .failure(SpawnProblem(errno: code))
  }

  private static func cStrings(_ strings: [String]) -> [UnsafeMutablePointer<CChar>?] {
    strings.map { strdup($0) } + [nil]
  }

  /// Ours, without what may hold a connection's secret: it is not for a copying command, nor for `ps e`.
  private static var environment: [String] {
    var entries: [String] = []
    var next = environ
    while let entry = next.pointee {
      let text = String(cString: entry)
      if !text.hasPrefix("CROSSFADE_"), !text.hasPrefix("PGPASSWORD=") { entries.append(text) }
      next += 1
    }
    return entries
  }
}
