import Glibc
import Postgres
import Testing

@testable import LocalCluster

@Suite("Processes bound to a thread", .timeLimit(.minutes(1))) struct BoundToThreadTests {
  @Test("they are killed when the thread that started them ends")
  func endsWithThread() async throws {
    let child = try await onThread { () throws(ChildProcessError) -> ChildProcess in
      let child = try ChildProcess(ChildProcess.bound(["sleep", "600"]), output: .discard, errors: .discard)
      // `setpriv` has done its part when it has become `sleep`.
      _ = eventually(within: .seconds(20)) { TextFile.read("/proc/\(child.pid)/comm") == "sleep\n" }
      return child
    }
    defer { child.stop(SIGKILL) }
    #expect(child.wait(for: .seconds(20)) == .signalled(SIGKILL))
  }
}
