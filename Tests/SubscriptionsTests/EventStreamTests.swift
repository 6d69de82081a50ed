import ChangeLog
import Glibc
import LocalCluster
import PGOutput
import Testing

@testable import Subscriptions

@Suite("Events over HTTP")
struct EventStreamTests {
  static func ids(_ body: String) -> [String] {
    body.split(separator: "\n").compactMap { line in
      guard let start = line.firstRange(of: "\"id\":\"")?.upperBound, line.contains("specversion"),
        let end = line[start...].firstIndex(of: "\"")
      else { return nil }
      return String(line[start..<end])
    }
  }

  @Test("a batch is what is there, up to its limit; after the last one seen comes exactly the rest")
  func batches() async throws {
    try await Served.withLog { served, log in
      for rows in 1...5 { try log.commit(rows) }
      let all = try await served.get("/v1/events?after=earliest&wait=0")
      #expect(all.status == 200 && all.type == "application/x-ndjson")
      #expect(Self.ids(all.body) == log.ids)
      var seen: [String] = []
      var after = "earliest"
      while true {
        let page = Self.ids(try await served.get("/v1/events?after=\(after)&limit=4").body)
        guard let last = page.last else { break }
        #expect(page.count <= 4)
        seen += page
        after = last
      }
      #expect(seen == log.ids)
      try await #expect(served.get("/v1/events?after=latest&limit=4").body.isEmpty)
      let head = try await served.get("/v1/events?after=0/1300.1", "--head")
      #expect(head.status == 200)
      try await #expect(
        served.get("/v1/positions").body
          == "{\"slot\":\"ledger\",\"earliest\":\"0/1000\",\"latest\":\"0/1500\"}\n")
      try await #expect(served.get("/v1/states").body.contains("{\"id\":\"2\",\"code\":\"captured\""))
    }
  }

  @Test("compressed when that is accepted, and the same")
  func compression() async throws {
    try await Served.withLog { served, log in
      for _ in 0..<200 { try log.commit(20) }
      let plain = try await served.get("/v1/events?after=earliest&wait=0")
      let unpacked = try await served.get("/v1/events?after=earliest&wait=0", "--compressed")
      #expect(Self.ids(plain.body).count == 4_000)
      #expect(unpacked.body == plain.body)
      let packed = try await served.get(
        "/v1/events?after=earliest&wait=0", "-H", "Accept-Encoding: br;q=1, gzip;q=0.5")
      #expect(packed.body.utf8.count < plain.body.utf8.count / 5)
      try await #expect(
        served.get("/v1/events?after=earliest&wait=0", "-H", "Accept-Encoding: gzip;q=0").body == plain.body)
    }
  }

  @Test("what is committed while somebody listens comes at once: lines, and server-sent events")
  func live() async throws {
    try await Served.withLog { served, log in
      try log.commit()
      let port = try #require(served.server.port)
      let lines = try #require(RawSubscriber(port: port, path: "/v1/events"))
      let sent = try #require(
        RawSubscriber(port: port, path: "/v1/events", headers: ["Accept: text/event-stream"]))
      let resumed = try #require(
        RawSubscriber(
          port: port, path: "/v1/events?after=latest",
          headers: ["Accept: text/event-stream", "Last-Event-ID: 0/1000"]))
      #expect(await eventually { lines.status == 200 && sent.status == 200 && resumed.ids.count == 1 })
      for _ in 0..<10 { try log.commit(2) }
      #expect(await eventually { lines.ids.count == 20 && sent.ids.count == 20 && resumed.ids.count == 21 })
      #expect(lines.ids == Array(log.ids.dropFirst()))
      #expect(sent.ids == lines.ids)
      #expect(resumed.ids == log.ids)
      for subscriber in [lines, sent, resumed] { subscriber.leave() }
      #expect(await eventually { served.book.entries.isEmpty || (try? log.commit()) == nil })
    }
  }

  @Test("filters: types, states and keys")
  func filters() async throws {
    try await Served.withLog { served, log in
      try log.commit(2)
      try log.commit(1, status: "CAPTURED")
      func ids(_ query: String) async throws -> [String] {
        Self.ids(try await served.get("/v1/events?after=earliest&wait=0&" + query).body)
      }
      try await #expect(ids("state=captured") == ["0/1200.0"])
      try await #expect(ids("state=captured&state=1") == log.ids)
      try await #expect(ids("type=transaction.deleted") == [])
      try await #expect(ids("key=4352-1") == ["0/1100.1"])
      try await #expect(
        served.get("/v1/events?after=earliest&limit=1&format=debezium").body.contains("\"op\":\"c\""))
    }
  }

  @Test(
    "what cannot be given is said",
    arguments: [
      ("after=0/FFF", 410, "no longer held"), ("after=F/0", 409, "ahead of the log"),
      ("after=yesterday", 400, "the request is wrong"), ("limit=0", 400, "the request is wrong"),
      ("wait=1h", 400, "the request is wrong"), ("format=avro", 400, "the request is wrong"),
      ("after=1/1&after=1/2", 400, "the request is wrong"), ("since=1", 400, "the request is wrong"),
      ("slot=other", 404, "no such slot"),
    ])
  func problems(_ query: String, _ status: Int, _ title: String) async throws {
    try await Served.withLog { served, log in
      try log.commit()
      let answer = try await served.get("/v1/events?" + query)
      #expect(answer.status == status)
      #expect(answer.type == "application/problem+json")
      #expect(answer.body.hasPrefix("{\"title\":\"\(title)\",\"status\":\(status),\"detail\":\""))
      if status == 410 { #expect(answer.body.contains("\"first\":\"0/1000\"")) }
    }
  }

  @Test("a token is for its slots' events, and for no others")
  func tokens() async throws {
    let tokens = "risk \(ServerTests.risk) ledger\nother \(ServerTests.all) cards\n"
    try await Served.withLog(tokens: tokens) { served, log in
      try log.commit()
      let path = "/v1/events?after=earliest&wait=0"
      try await #expect(served.get(path).status == 401)
      try await #expect(
        Self.ids(served.get(path, "-H", "Authorization: Bearer \(ServerTests.risk)").body) == log.ids)
      let hidden = try await served.get(
        path + "&slot=ledger", "-H", "Authorization: Bearer \(ServerTests.all)")
      #expect(hidden.status == 404 && !hidden.body.contains("0/1"))
      try await #expect(served.get(path, "-H", "Authorization: Bearer \(ServerTests.all)").status == 404)
    }
  }

  @Test("a hundred subscribers, one of them stalled: it delays nobody, is seen, and misses nothing")
  func stalled() async throws {
    try await Served.withLog { served, log in
      try log.commit()
      let port = try #require(served.server.port)
      let stalled = try #require(RawSubscriber(port: port, path: "/v1/events?after=earliest", paused: true))
      let others = try (0..<99).map { _ in
        try #require(RawSubscriber(port: port, path: "/v1/events?after=earliest&state=authorized"))
      }
      // More than the sockets' buffers hold; the others ask for a part of it only.
      for _ in 0..<60 {
        try log.commit(50, status: "CAPTURED", padding: 4_000)
        try log.commit(2)
      }
      #expect(await eventually(60) { others.allSatisfy { $0.ids.count == 121 } })
      let wanted = log.ids.enumerated().filter { $0.offset == 0 || ($0.offset - 1) % 52 >= 50 }.map(\.element)
      #expect(others.allSatisfy { $0.ids == wanted })
      #expect(
        await eventually {
          let later = ContinuousClock.now + .seconds(6)
          return served.book.entries.filter { $0.stalled(at: later) != nil }.count == 1
        })
      stalled.resume()
      #expect(await eventually(60) { stalled.ids.count == 3_121 })
      #expect(stalled.ids == log.ids)
      for subscriber in others + [stalled] { subscriber.leave() }
    }
  }

  @Test("a stalled subscriber is cut off past the lag that was set, and only then")
  func cut() async throws {
    try await Served.withLog(change: { $0.subscriberLag = 4_000 }) { served, log in
      try log.commit()
      let port = try #require(served.server.port)
      let stalled = try #require(RawSubscriber(port: port, path: "/v1/events?after=earliest", paused: true))
      let other = try #require(RawSubscriber(port: port, path: "/v1/events?after=earliest"))
      for _ in 0..<60 { try log.commit(40, padding: 4_000) }
      #expect(await eventually(30) { served.book.cuts == 1 })
      #expect(await eventually { other.ids.count == 2_401 })
      stalled.resume()
      #expect(await eventually { stalled.isOver })
      #expect(stalled.ids.count < 2_401)
      // It goes on where it was.
      let last = try #require(stalled.ids.last)
      let rest = try #require(RawSubscriber(port: port, path: "/v1/events?after=\(last)&wait=0"))
      #expect(await eventually { rest.isOver })
      #expect(stalled.ids + rest.ids == log.ids)
      other.leave()
    }
  }
}

/// Waits for a condition, up to so many seconds.
func eventually(_ seconds: Int = 20, _ condition: @Sendable () -> Bool) async -> Bool {
  let deadline = ContinuousClock.now + .seconds(seconds)
  while ContinuousClock.now < deadline {
    if condition() { return true }
    try? await Task.sleep(for: .milliseconds(5))
  }
  return condition()
}
