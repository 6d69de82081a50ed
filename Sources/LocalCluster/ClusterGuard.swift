import Glibc
import Synchronization

/// Sees to it that a cluster does not outlive this process, however it ends: a shell that waits at the other end of
/// a socket, and stops the server, and deletes its files unless they are to be kept, when that end closes without a word.
///
/// It leads its own process group, so a Ctrl-C does not reach it. It signals the process named in `postmaster.pid`
/// only if that process works in our data directory, as a postmaster does; so never a stranger.
final class ClusterGuard: Sendable {
  private let shell: ChildProcess
  private let socket: Mutex<Int32>

  private static let script = """
    read -r word
    [ "$word" = dismiss ] && exit 0
    pid=$(head -n 1 "$2/postmaster.pid" 2>/dev/null)
    if [ -n "$pid" ] && [ "$(readlink "/proc/$pid/cwd")" = "$2" ]; then
      kill -QUIT "$pid"
      tries=100
      while [ "$(readlink "/proc/$pid/cwd")" = "$2" ] && [ $tries -gt 0 ]; do
        sleep 0.1
        tries=$((tries - 1))
      done
      [ "$(readlink "/proc/$pid/cwd")" = "$2" ] && kill -KILL "$pid"
    fi
    [ "$3" = delete ] && rm -rf -- "$1"
    """

  init(_ directory: ClusterDirectory, deletesFiles: Bool) throws(ClusterError) {
    // A socket pair, not a pipe: it can be made close-on-exec in one step, so no child started meanwhile keeps
    // our end open.
    var ends: [Int32] = [-1, -1]
    let type = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
    guard socketpair(AF_UNIX, type, 0, &ends) == 0 else {
      throw .system(call: "socketpair", path: directory.root, errno: errno)
    }
    defer { close(ends[1]) }
    do {
      shell = try ChildProcess(
        [
          "/bin/sh", "-c", Self.script, "crossfade-guard", directory.root, directory.data,
          deletesFiles ? "delete" : "keep",
        ],
        input: .descriptor(ends[1]), output: .discard, errors: .discard, newGroup: true)
    } catch {
      close(ends[0])
      throw .process(error)
    }
    socket = Mutex(ends[0])
  }

  /// Ends the guard without touching the cluster.
  func dismiss() {
    socket.withLock { descriptor in
      guard descriptor >= 0 else { return }
      // MSG_NOSIGNAL: a guard that was killed must not end us with SIGPIPE.
      _ = send(descriptor, "dismiss\n", 8, Int32(MSG_NOSIGNAL))
      close(descriptor)
      descriptor = -1
    }
    _ = shell.wait(for: .seconds(5))
  }
}
