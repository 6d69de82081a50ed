import Glibc
import Testing

@testable import LocalCluster

/// Each runs in a process of its own, which ends while its cluster runs.
@Suite("Clusters whose process ends", .timeLimit(.minutes(5))) struct ClusterOrphanTests {
  /// What the process that ends tells about its cluster.
  private static func readReport(_ path: String) throws -> (pid: pid_t, root: String) {
    let lines = try #require(TextFile.read(path)).split(separator: "\n")
    try #require(lines.count == 2)
    return (try #require(pid_t(lines[0])), String(lines[1]))
  }

  private static func scratchFile() throws -> String {
    var template = Array("/tmp/crossfade-report-XXXXXX".utf8CString)
    let descriptor = mkstemp(&template)
    try #require(descriptor >= 0)
    close(descriptor)
    return String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  private static func write(_ text: String, to path: String) {
    let descriptor = open(path, O_WRONLY | O_TRUNC)
    defer { close(descriptor) }
    _ = text.withCString { Glibc.write(descriptor, $0, strlen($0)) }
  }

  @Test("a process that is killed takes its server and files with it")
  func killed() async throws {
    let path = try Self.scratchFile()
    defer { unlink(path) }
    await #expect(processExitsWith: .signal(SIGKILL)) { [path = path as String] in
      let cluster = try Cluster.running()
      Self.write("\(cluster.pid ?? 0)\n\(cluster.path)\n", to: path)
      kill(getpid(), SIGKILL)
      pause()
    }
    let (pid, root) = try Self.readReport(path)
    #expect(pid > 1)
    #expect(eventually(within: .seconds(30)) { ProcessTree.hasEnded(pid) && access(root, F_OK) == -1 })
  }

  @Test("a cluster that is to go on goes on after its process")
  func leftRunning() async throws {
    let path = try Self.scratchFile()
    defer { unlink(path) }
    await #expect(processExitsWith: .exitCode(0)) { [path = path as String] in
      let cluster = try Cluster.running()
      cluster.leaveRunning()
      Self.write("\(cluster.pid ?? 0)\n\(cluster.path)\n", to: path)
      exit(0)
    }
    let (pid, root) = try Self.readReport(path)
    #expect(!ProcessTree.hasEnded(pid))
    #expect(access(root, F_OK) == 0)
    try #require(pid > 1)
    kill(pid, SIGQUIT)
    #expect(eventually(within: .seconds(30)) { ProcessTree.hasEnded(pid) })
    _ = try ChildProcess.run(["rm", "-rf", "--", root])
  }

  @Test("a signal handler can stop every server there is")
  func liveServers() async {
    await #expect(processExitsWith: .exitCode(7)) {
      let clusters = [try Cluster.running(), try Cluster.running()]
      try #require(LiveServers.count == 2)
      signal(SIGUSR1) { _ in LiveServers.signalAll(SIGQUIT) }
      kill(getpid(), SIGUSR1)  // Not raise: the pool's threads block signals.
      let ended = eventually(within: .seconds(30)) { clusters.allSatisfy { !$0.isRunning } }
      exit(ended ? 7 : 1)
    }
  }
}
