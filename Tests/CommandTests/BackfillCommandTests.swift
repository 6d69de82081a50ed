import Glibc
import LocalCluster
import Testing

extension CommandTests {
  @Suite("crossfade backfill", .serialized) struct BackfillCommand {
    @Test(
      "what is said before it runs counts when it does; a second one is refused and takes nothing from the first"
    )
    func control() throws {
      let slot = try LedgerSlot("backfill_words", rows: 5000, more: "backfill:\n  batch: 50\n  pause: 20ms\n")
      try #require(try slot.crossfade("expand").status == .exited(0))
      try slot.start()
      let unknown = try slot.crossfade("backfill", more: ["faster"])
      #expect(unknown.status == .exited(64))
      #expect(
        unknown.output.contains("`faster` is not known; known: pause, resume, throttle RATIO"),
        "\(unknown.output)")
      let early = try slot.crossfade("backfill", more: ["pause"])
      #expect(early.output == "written down: pause; no backfill runs: it counts when one is started\n")
      let running = try ChildProcess(
        [CrossfadeBinary.path(), "backfill", slot.path], environment: slot.environment,
        output: .file(slot.directory + "/out"), errors: .file(slot.directory + "/err"))
      defer { running.stop(SIGKILL) }
      try #require(try slot.await("SELECT state = 'paused' FROM crossfade.backfill"))
      let why = try slot.crossfade("backfill", more: ["why"]).output
      #expect(why.hasPrefix("paused: by postgres, 20"), "\(why)")
      let second = try slot.crossfade("backfill")
      #expect(second.status == .exited(3))
      #expect(
        second.output.contains(
          "crossfade: the backfill of slot backfill_words is already running: server process "),
        "\(second.output)")
      #expect(try slot.crossfade("status").output.contains("backfill   paused (by postgres, 20"))
      #expect(
        try slot.crossfade("backfill", more: ["set", "batch=5000", "pace=1"]).output
          == "ok: set batch=5000 pace=1.0\n")
      #expect(try slot.crossfade("backfill", more: ["resume"]).output == "ok: resume\n")
      #expect(running.wait(for: .seconds(60)) == .exited(0))
      let again = try slot.crossfade("backfill", more: ["--json"])
      #expect(again.output.contains(#""rows":5000,"written":5000,"expected":"#), "\(again.output)")
      try slot.stop()
    }
  }
}
