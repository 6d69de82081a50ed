import Glibc
import LocalCluster

/// Kills a child when this process is gone, however it went: a shell waits at the end of a pipe that only we hold open.
final class OrphanGuard: Sendable {
  private let shell: ChildProcess
  private let writing: Int32

  init(of pid: pid_t) throws {
    var ends: [Int32] = [-1, -1]
    guard pipe(&ends) == 0 else { throw ScratchDirectory.Failure(call: "pipe", path: "", errno: errno) }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    writing = ends[1]
    defer { close(ends[0]) }
    do {
      // In a group of its own, so that a Ctrl-C does not end it first.
      shell = try ChildProcess(
        ["/bin/sh", "-c", "read -r _; kill -KILL \(pid)"], input: .descriptor(ends[0]), output: .discard,
        errors: .discard, newGroup: true)
    } catch {
      close(ends[1])
      throw error
    }
  }

  deinit {
    shell.stop(SIGKILL)
    close(writing)
  }
}
