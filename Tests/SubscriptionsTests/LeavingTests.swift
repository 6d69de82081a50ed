import Glibc
import LocalCluster
import Testing

@testable import Subscriptions

@Suite("Signs of life, and who has left")
struct LeavingTests {
  @Test(
    "a filter that nothing passes hears from us, however much is committed meanwhile",
    arguments: ["*/*", "text/event-stream"])
  func busy(_ accept: String) async throws {
    try await Served.withLog(change: { $0.heartbeat = .milliseconds(400) }) { served, log in
      let port = try #require(served.server.port)
      let path = "/v1/events?key=nobody"
      let subscriber = try #require(RawSubscriber(port: port, path: path, headers: ["Accept: \(accept)"]))
      #expect(await eventually { subscriber.status == 200 })
      func signs() -> [String] { subscriber.signs.filter { accept == "*/*" || $0.hasPrefix("id: ") } }
      let opening = signs().count
      let deadline = ContinuousClock.now + .seconds(10)
      while signs().count < opening + 3, ContinuousClock.now < deadline {
        try log.commit()
        try await Task.sleep(for: .milliseconds(20))
      }
      #expect(signs().count >= opening + 3)
      // Where it stands, so that what was left out is not read again.
      if accept != "*/*" { #expect(Set(signs()).count >= 3, "\(signs())") }
      subscriber.leave()
    }
  }

  @Test("a sign of life is due so long after what was sent last, whatever was looked at meanwhile")
  func beat() {
    let start = ContinuousClock.now
    var beat = Heartbeat(.seconds(10), from: start)
    #expect(!beat.isDue(at: start + .seconds(9)) && beat.isDue(at: start + .seconds(10)))
    beat.sent(at: start + .seconds(9))
    #expect(!beat.isDue(at: start + .seconds(18)) && beat.isDue(at: start + .seconds(19)))
  }

  @Test("one who has gone is no subscriber, and leaves his place, though nothing is sent")
  func gone() async throws {
    try await Served.withLog(change: {
      $0.heartbeat = .seconds(3_600)
      $0.connections = 3
    }) { served, log in
      try log.commit()
      let port = try #require(served.server.port)
      let subscribers = try (0..<3).map { _ in
        try #require(RawSubscriber(port: port, path: "/v1/events?key=nobody"))
      }
      #expect(await eventually { served.book.entries.count == 3 })
      for subscriber in subscribers { subscriber.leave() }
      #expect(await eventually { served.book.entries.isEmpty })
      try await #expect(served.get("/v1/health").status == 200)
    }
  }

  @Test("also over TLS")
  func goneOverTLS() async throws {
    try await Served.withLog(isTLS: true, change: { $0.heartbeat = .seconds(3_600) }) { served, log in
      try log.commit()
      let curl = try ChildProcess(
        [
          "curl", "-sN", "--insecure",
          "https://127.0.0.1:\(try #require(served.server.port))/v1/events?key=nobody",
        ], output: .discard, errors: .discard)
      #expect(await eventually { served.book.entries.count == 1 })
      curl.stop(SIGKILL)
      #expect(await eventually { served.book.entries.isEmpty })
    }
  }

  @Test("one who closes his side once he has asked gets what there is, and then the end")
  func halfClosed() async throws {
    try await Served.withLog { served, log in
      for _ in 0..<50 { try log.commit(100, padding: 100) }
      let port = try #require(served.server.port)
      let subscriber = try #require(
        RawSubscriber(port: port, path: "/v1/events?after=earliest", paused: true))
      subscriber.closeItsSide()
      subscriber.resume()
      #expect(await eventually { subscriber.isOver })
      #expect(subscriber.ids == log.ids)
    }
  }

  @Test("that all connections are taken is said once, and again a while after")
  func limit() {
    let notes = Notes()
    var limit = ConnectionLimit(2, logger: notes.logger)
    limit.connectionOpened()
    #expect(limit.isAcceptingNewConnections() && notes.lines.isEmpty)
    for _ in 0..<5 {
      limit.connectionOpened()
      #expect(!limit.isAcceptingNewConnections())
      limit.connectionClosed()
    }
    #expect(limit.isAcceptingNewConnections())
    #expect(
      notes.lines == [
        "warning all connections are taken: others wait until one ends connections=2 "
          + "hint=raise serve.connections, or stop clients that need none"
      ])
  }
}
