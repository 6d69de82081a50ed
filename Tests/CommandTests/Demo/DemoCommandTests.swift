import Glibc
import LocalCluster
import Testing

/// The whole demonstration as a process, on a ledger that is small enough for a test.
@Suite("crossfade demo", .serialized, .timeLimit(.minutes(5))) struct DemoCommandTests {
  /// A directory for whatever the demonstration makes.
  private final class Room {
    let path: String

    init() throws {
      var template = Array("/tmp/demo-XXXXXX".utf8CString)
      try #require(mkdtemp(&template) != nil)
      path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
      // As root the server runs as somebody else, who must get through.
      chmod(path, 0o711)
    }

    deinit { _ = try? ChildProcess.run(["rm", "-rf", "--", path]) }

    /// What is left in it, or runs in it.
    func leftovers() throws -> String {
      try ChildProcess.run(["sh", "-c", "ls -A \"$1\"; pgrep -af -- \"$1/\"", "sh", path]).trimmed
    }
  }

  private static let program =
    CommandLine.arguments[0].split(separator: "/", omittingEmptySubsequences: false)
    .dropLast().joined(separator: "/") + "/crossfade"

  @Test("it migrates, is killed, restarts and proves itself; nothing is left behind")
  func whole() throws {
    let room = try Room()
    let run = try ChildProcess.run(
      [Self.program, "demo", "--rows", "60000", "--seconds", "1", "--rate", "200"],
      environment: ["TMPDIR": room.path], within: .seconds(240))
    #expect(run.status == .exited(0), "\(run.output)")
    #expect(run.output.contains(/SIGKILL +crossfade backfill/))
    #expect(run.output.contains(/restart +crossfade run/))
    #expect(run.output.contains(/\nmismatches +0\n/))
    #expect(run.output.contains(/\napplication errors +0\n/))
    #expect(run.output.hasSuffix("All is well: nothing lost, nothing doubled, nothing wrong.\n"))
    #expect(!run.output.contains("\u{1B}"), "no escapes on a pipe")
    #expect(try room.leftovers() == "")
  }

  @Test("Ctrl-C in the middle of the migration leaves nothing behind", arguments: [SIGINT, SIGTERM])
  func interrupted(by signal: Int32) throws {
    let room = try Room()
    let log = "\(room.path).log"
    defer { unlink(log) }
    let demo = try ChildProcess(
      [Self.program, "demo", "--rows", "500000", "--seconds", "1"], environment: ["TMPDIR": room.path],
      output: .file(log), errors: .file(log))
    defer { demo.stop(SIGKILL) }
    let isBackfilling = eventually(within: .seconds(120)) {
      !demo.isRunning || TextFile.lastLines(of: log, count: 50).contains("backfill:")
    }
    #expect(isBackfilling && demo.isRunning, "\(TextFile.lastLines(of: log, count: 50))")
    demo.kill(signal)
    #expect(demo.wait(for: .seconds(60)) == .exited(130))
    #expect(
      TextFile.lastLines(of: log, count: 1) == "crossfade: interrupted; everything is stopped and removed")
    #expect(try room.leftovers() == "")
  }

  @Test("killed outright, it takes its server, its processes and its files with it")
  func killed() throws {
    let room = try Room()
    let log = "\(room.path).log"
    defer { unlink(log) }
    let demo = try ChildProcess(
      [Self.program, "demo", "--rows", "500000", "--seconds", "1"], environment: ["TMPDIR": room.path],
      output: .file(log), errors: .file(log))
    defer { demo.stop(SIGKILL) }
    let isBackfilling = eventually(within: .seconds(120)) {
      !demo.isRunning || TextFile.lastLines(of: log, count: 50).contains("backfill:")
    }
    #expect(isBackfilling && demo.isRunning, "\(TextFile.lastLines(of: log, count: 50))")
    demo.stop(SIGKILL)
    #expect(try eventually(within: .seconds(30)) { try room.leftovers() == "" })
  }

  @Test("without a server on the machine it says what to install")
  func noServer() throws {
    let room = try Room()
    let run = try ChildProcess.run(
      [Self.program, "demo"], environment: ["CROSSFADE_PG_BIN": room.path], within: .seconds(20))
    #expect(run.status == .exited(69))
    #expect(run.output.contains("apt-get install postgresql"))
  }
}
