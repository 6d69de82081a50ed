import Glibc
import Testing

@testable import LocalCluster

/// Each runs `cluster-child`, a process of its own, which ends while its cluster runs.
@Suite("Clusters whose process ends", .timeLimit(.minutes(5))) struct ClusterOrphanTests {
  /// What a child did: how it ended, its server's process and directory.
  private func child(_ verb: String) throws -> (status: ProcessStatus, pid: pid_t, root: String) {
    var buffer = [CChar](repeating: 0, count: 4096)
    let length = readlink("/proc/self/exe", &buffer, buffer.count - 1)
    try #require(length > 0)
    let own = String(decoding: buffer[..<length].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    let folder = own.split(separator: "/").dropLast().map { "/" + $0 }.joined()
    let run = try ChildProcess.run(["\(folder)/cluster-child", verb], within: .seconds(120))
    let lines = run.trimmed.split(separator: "\n")
    let pid = lines.first.flatMap { pid_t($0) } ?? 0
    return (run.status, pid, lines.dropFirst().first.map(String.init) ?? "")
  }

  @Test("a process that is killed takes its server and files with it")
  func killed() throws {
    let (status, pid, root) = try child("be-killed")
    #expect(status == .signalled(SIGKILL))
    try #require(pid > 1)
    #expect(eventually(within: .seconds(30)) { ProcessTree.hasEnded(pid) && access(root, F_OK) == -1 })
  }

  @Test("a cluster that is to go on goes on after its process")
  func leftRunning() throws {
    let (status, pid, root) = try child("leave-running")
    #expect(status == .exited(0))
    try #require(pid > 1)
    #expect(!ProcessTree.hasEnded(pid))
    #expect(access(root, F_OK) == 0)
    kill(pid, SIGQUIT)
    #expect(eventually(within: .seconds(30)) { ProcessTree.hasEnded(pid) })
    _ = try ChildProcess.run(["rm", "-rf", "--", root])
  }

  @Test("a signal handler can stop every server there is")
  func liveServers() throws {
    #expect(try child("signal-all").status == .exited(7))
  }
}
