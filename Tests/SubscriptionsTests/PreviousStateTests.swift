import ChangeLog
import Glibc
import PGOutput
import Testing

@testable import Subscriptions

/// Tables without old rows in the log: what was before is what the log told last.
@Suite("What was before, over HTTP")
struct PreviousStateTests {
  private static let states = [
    "AUTH": #"{"state":{"id":"1","code":"authorized"},"status":"AUTH"}"#,
    "CAPTURED": #"{"state":{"id":"2","code":"captured"},"status":"CAPTURED"}"#,
  ]

  private func tells(_ line: Substring?, _ previous: String?) -> Bool {
    guard let line else { return false }
    guard let text = previous.flatMap({ Self.states[$0] }) else { return !line.contains("\"previous\"") }
    return line.contains("\"previous\":\(text),\"previous_from\":\"log\"")
  }

  @Test("whoever follows is told it, also one who came after the change before; a resumed one the very same")
  func live() async throws {
    try await Served.withLog { served, log in
      try log.commit()
      let port = try #require(served.server.port)
      let early = try #require(RawSubscriber(port: port, path: "/v1/events"))
      #expect(await eventually { early.status == 200 && served.book.entries.count == 1 })
      try log.move("7", "AUTH")
      #expect(await eventually { early.ids.count == 1 })
      let late = try #require(RawSubscriber(port: port, path: "/v1/events"))
      #expect(await eventually { late.status == 200 })
      try log.move("7", "CAPTURED")
      try log.move("7", "CAPTURED")
      try log.move("8", "AUTH")
      #expect(await eventually { early.ids.count == 4 && late.ids.count == 3 })
      #expect(tells(early.lines.first?[...], nil))
      #expect(tells(early.lines.dropFirst().first?[...], "AUTH"))
      #expect(tells(early.lines.dropFirst(2).first?[...], "CAPTURED"))
      #expect(tells(early.lines.last?[...], nil))
      #expect(early.lines.map { $0.contains("\"transaction.changed\"") } == [false, false, true, false])
      #expect(late.lines == Array(early.lines.dropFirst()))
      let first = try #require(early.ids.first)
      let resumed = try await served.get("/v1/events?after=\(first)&wait=0")
      #expect(resumed.body.split(separator: "\n").map(String.init) == late.lines)
      let moved = try await served.get("/v1/events?after=\(first)&wait=0&type=transaction.state.changed")
      #expect(EventStreamTests.ids(moved.body) == [late.ids[0], late.ids[2]])
      for subscriber in [early, late] { subscriber.leave() }
    }
  }

  @Test("one who is far behind remembers for himself, from where he began")
  func behind() async throws {
    try await Served.withLog { served, log in
      try log.move("7", "AUTH")
      let second = try log.move("7", "CAPTURED")
      try log.move("7", "AUTH")
      log.skip(1 << 30)
      try log.move("8", "AUTH")
      let whole = try await served.get("/v1/events?after=earliest&wait=0").body.split(separator: "\n")
      #expect(whole.count == 4)
      #expect(tells(whole.first, nil) && tells(whole[1], "AUTH") && tells(whole[2], "CAPTURED"))
      let rest = try await served.get("/v1/events?after=\(second)&wait=0").body.split(separator: "\n")
      #expect(rest.count == 2 && tells(rest.first, nil))
    }
  }
}
