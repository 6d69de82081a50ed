import Glibc
import LocalCluster
import Testing

@Suite("Child processes") struct ChildProcessTests {
  @Test("an exit code and a signal are told apart")
  func statuses() throws {
    #expect(try ChildProcess(["sh", "-c", "exit 3"]).wait(for: .seconds(10)) == .exited(3))
    #expect(try ChildProcess(["sh", "-c", "kill -TERM $$"]).wait(for: .seconds(10)) == .signalled(SIGTERM))
    #expect(try ChildProcess(["true"]).wait(for: .seconds(10))?.isSuccess == true)
  }

  @Test("waiting ends at its limit while the child goes on")
  func waitLimit() throws {
    let child = try ChildProcess(["sleep", "60"])
    #expect(child.wait(for: .milliseconds(20)) == nil)
    #expect(child.isRunning)
    #expect(child.stop(SIGTERM) == .signalled(SIGTERM))
    #expect(child.kill(SIGTERM) == false)
  }

  @Test("a child that ignores the polite signal is killed after its grace")
  func grace() throws {
    let child = try ChildProcess(
      ["sh", "-c", "trap '' TERM; echo up; while :; do sleep 1; done"], output: .discard)
    usleep(50_000)  // Whether the trap stands yet or not, one of the two signals below ends it.
    let status = child.stop(SIGTERM, grace: .milliseconds(100))
    #expect(status == .signalled(SIGKILL) || status == .signalled(SIGTERM))
  }

  @Test("a run captures both outputs, more than a pipe holds")
  func capture() throws {
    let run = try ChildProcess.run([
      "sh", "-c", "head -c 300000 /dev/zero | tr '\\0' x; echo; echo oops >&2; exit 4",
    ])
    #expect(run.status == .exited(4))
    #expect(run.output.utf8.count == 300_000 + 1 + 5)
    #expect(run.output.hasSuffix("x\noops\n"))
  }

  @Test("a run ends with its program though a grandchild holds the pipe")
  func grandchild() throws {
    let begin = ContinuousClock.now
    let run = try ChildProcess.run(["sh", "-c", "sleep 20 & echo $!"])
    #expect(ContinuousClock.now - begin < .seconds(10))
    let sleeper = try #require(pid_t(run.trimmed))
    #expect(kill(sleeper, SIGTERM) == 0)
  }

  @Test("a run that takes too long is killed, and its words are kept")
  func timeout() {
    #expect {
      try ChildProcess.run(["sh", "-c", "echo begun; exec sleep 60"], within: .milliseconds(300))
    } throws: { error in
      error as? ChildProcessError == .timedOut(program: "sh", after: .milliseconds(300), output: "begun\n")
    }
  }

  @Test("variables are added and removed")
  func environment() throws {
    let run = try ChildProcess.run(
      ["sh", "-c", "echo \"$CROSSFADE_X\" \"${HOME-none}\""],
      environment: ["CROSSFADE_X": "a b", "HOME": nil])
    #expect(run.trimmed == "a b none")
  }

  @Test("a program that is not there is an error with its name")
  func missing() {
    #expect(throws: ChildProcessError.system(call: "posix_spawn", program: "/nowhere/x", errno: ENOENT)) {
      try ChildProcess(["/nowhere/x"])
    }
    #expect(throws: ChildProcessError.noProgram) { try ChildProcess([]) }
    #expect(throws: ChildProcessError.embeddedNUL("a\0b")) { try ChildProcess(["echo", "a\0b"]) }
  }

  @Test("a group of its own is signalled as a whole")
  func group() throws {
    let child = try ChildProcess(["sh", "-c", "sleep 60 & wait"], newGroup: true)
    #expect(getpgid(child.pid) == child.pid)
    #expect(child.killGroup(SIGKILL))
    #expect(child.wait(for: .seconds(10)) == .signalled(SIGKILL))
  }

  @Test("many threads may ask and signal at once; one end is seen by all")
  func threads() async throws {
    let child = try ChildProcess(["sleep", "60"])
    let ends = await withTaskGroup(of: ProcessStatus?.self) { group in
      for _ in 0..<8 {
        group.addTask {
          child.kill(SIGKILL)
          return child.wait(for: .seconds(10))
        }
      }
      return await group.reduce(into: [ProcessStatus?]()) { $0.append($1) }
    }
    #expect(ends == Array(repeating: .signalled(SIGKILL), count: 8))
  }
}
