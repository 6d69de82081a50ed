import Glibc

/// One call of `posix_spawn`: turns Swift values into its C structures and frees them.
struct Spawn {
  let arguments: [String]
  let environment: [String: String?]
  let input: ChildProcess.Input
  let output: ChildProcess.Output
  let errors: ChildProcess.Output
  let newGroup: Bool

  func start() throws(ChildProcessError) -> pid_t {
    guard let program = arguments.first else { throw .noProgram }
    let entries = mergedEnvironment()
    if let bad = (arguments + entries).first(where: { $0.utf8.contains(0) }) { throw .embeddedNUL(bad) }

    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    redirectInput(&actions)
    redirect(output, to: STDOUT_FILENO, &actions)
    redirect(errors, to: STDERR_FILENO, &actions)
    // A descriptor without close-on-exec (a test runner's pipe, say) would be held open for the child's whole life, and
    // whoever waits for its end would wait as long. One that is closed meanwhile does no harm (`spawni.c`).
    for descriptor in ExecutableSearch.entries(of: "/proc/self/fd").compactMap({ Int32($0) })
    where descriptor > STDERR_FILENO {
      posix_spawn_file_actions_addclose(&actions, descriptor)
    }

    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    // A signal that we block or ignore (SIGPIPE, SIGINT of a background job) is the child's to judge anew.
    var none = sigset_t()
    sigemptyset(&none)
    posix_spawnattr_setsigmask(&attributes, &none)
    var all = sigset_t()
    sigfillset(&all)
    posix_spawnattr_setsigdefault(&attributes, &all)
    var flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF
    if newGroup {
      flags |= POSIX_SPAWN_SETPGROUP
      posix_spawnattr_setpgroup(&attributes, 0)
    }
    posix_spawnattr_setflags(&attributes, Int16(truncatingIfNeeded: flags))

    var pid: pid_t = 0
    let code = withCStrings(arguments) { argv in
      withCStrings(entries) { envp in posix_spawnp(&pid, program, &actions, &attributes, argv, envp) }
    }
    guard code == 0 else { throw .system(call: "posix_spawn", program: program, errno: code) }
    return pid
  }

  private func redirectInput(_ actions: inout posix_spawn_file_actions_t) {
    switch input {
    case .inherit: break
    case .empty: posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
    case .descriptor(let descriptor): posix_spawn_file_actions_adddup2(&actions, descriptor, STDIN_FILENO)
    }
  }

  private func redirect(
    _ output: ChildProcess.Output, to target: Int32, _ actions: inout posix_spawn_file_actions_t
  ) {
    switch output {
    case .inherit: break
    case .discard: posix_spawn_file_actions_addopen(&actions, target, "/dev/null", O_WRONLY, 0)
    case .file(let path):
      posix_spawn_file_actions_addopen(&actions, target, path, O_WRONLY | O_CREAT | O_APPEND, 0o600)
    case .descriptor(let descriptor): posix_spawn_file_actions_adddup2(&actions, descriptor, target)
    }
  }

  /// Ours with the additions, as `NAME=value`, in a fixed order.
  private func mergedEnvironment() -> [String] {
    var merged: [String: String] = [:]
    for entry in ProcessEnvironment.entries() { merged[entry.name] = entry.value }
    for (name, value) in environment { merged[name] = value }
    return merged.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
  }

  private func withCStrings<Result>(
    _ strings: [String], _ body: ([UnsafeMutablePointer<CChar>?]) -> Result
  ) -> Result {
    let pointers: [UnsafeMutablePointer<CChar>?] = strings.map { strdup($0) }
    defer { for pointer in pointers { free(pointer) } }
    return body(pointers + [nil])
  }
}
