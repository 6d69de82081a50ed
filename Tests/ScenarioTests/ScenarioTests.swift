import Testing

/// PostgreSQL's own subscription tests, and what else must come out of a stream unharmed, as tests of what is captured.
@Suite("Scenarios", .serialized) struct ScenarioTests {
  @Test("gives the expected records, whatever was negotiated", arguments: Scenario.names)
  func scenario(_ name: String) async throws {
    let scenario = try Scenario.named(name)
    let major = try ScenarioServer.major
    if let obstacle = scenario.obstacle(on: major) {
      // One of many cases is left out without a word; scripts/test.sh repeats what begins so.
      print("➜ Scenario skipped: \(obstacle)")
      try Test.cancel("\(obstacle)")
    }
    let run = try ScenarioRun(scenario)
    let outcome: Result<[ScenarioRun.Verdict<RecordRenderer>], any Error>
    do {
      outcome = .success(try await run.run { RecordRenderer(types: TypeNames(session: $0)) })
    } catch {
      outcome = .failure(error)
    }
    try run.clean()
    for verdict in try outcome.get() {
      var expected = scenario.expected(on: major, verdict.mode, verdict.judge)
      if verdict.mode != .whole, scenario.unstreamable?.contains(major) == true,
        let error = verdict.seen.lines.last, error.hasPrefix("STREAM ERROR")
      {
        // Up to where the server gave up, nothing may be missing or wrong.
        expected = Array(expected.prefix(verdict.seen.lines.count - 1)) + [error]
      }
      let difference = LineDifference.text(expected, verdict.seen.lines)
      let what = Comment("\(name), \(verdict.judge) in mode \(verdict.mode):\n\(difference)")
      if let known = scenario.known, verdict.judge == .captured {
        withKnownIssue("\(known)") { #expect(verdict.seen.lines == expected, what) }
      } else if verdict.seen.lines != expected {
        Issue.record(what)
      }
    }
  }
}
