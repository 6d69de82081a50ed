import Glibc

@testable import ChangeLog

/// Starts a program; the caller ends it by its pid.
func spawn(_ arguments: [String], output: String? = nil) throws -> pid_t {
  var actions = posix_spawn_file_actions_t()
  posix_spawn_file_actions_init(&actions)
  defer { posix_spawn_file_actions_destroy(&actions) }
  if let output {
    posix_spawn_file_actions_addopen(&actions, 1, output, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
  }
  var pointers: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) }
  pointers.append(nil)
  defer { for pointer in pointers { free(pointer) } }
  var pid: pid_t = 0
  let code = posix_spawnp(&pid, arguments[0], &actions, nil, pointers, environ)
  guard code == 0 else { throw ChangeLogError.io(operation: "spawn", path: arguments[0], errno: code) }
  return pid
}

/// Runs a program to its end; its exit status.
func run(_ arguments: [String], output: String? = nil) throws -> Int32 {
  let pid = try spawn(arguments, output: output)
  var status: Int32 = 0
  while waitpid(pid, &status, 0) < 0 && errno == EINTR {}
  return (status >> 8) & 0xFF
}

/// Runs `body` on a thread of its own; `join` waits for it.
final class TestThread {
  private var thread = pthread_t()

  init(_ body: @escaping @Sendable () -> Void) {
    let box = Unmanaged.passRetained(Box(body))
    pthread_create(
      &thread, nil,
      { raw in
        guard let raw else { return nil }
        Unmanaged<Box>.fromOpaque(raw).takeRetainedValue().body()
        return nil
      }, box.toOpaque())
  }

  func join() { pthread_join(thread, nil) }

  private final class Box {
    let body: @Sendable () -> Void
    init(_ body: @escaping @Sendable () -> Void) { self.body = body }
  }
}
