import LocalCluster
import Testing

@testable import Subscriptions

@Suite("Requests that are not as they should be")
struct RequestTests {
  private static let unread = "HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n"

  @Test("a body is not waited for: the answer comes at once, and ends the connection")
  func body() async throws {
    try await Served.withLog(tokens: "risk \(ServerTests.risk) *\n") { served, _ in
      let port = try #require(served.server.port)
      let began = ContinuousClock.now
      let slow = try #require(RawExchange(port: port, "POST /v1/events \(Self.unread)", drips: true))
      #expect(await eventually { slow.isClosed })
      #expect(ContinuousClock.now - began < .seconds(8))
      #expect(slow.answer.hasPrefix("HTTP/1.1 401 ") && slow.answer.contains("Connection: close\r\n"))
      slow.end()
    }
  }

  @Test("nor is it while events are sent: the request must come whole")
  func bodyOfStream() async throws {
    try await Served.withLog(change: { $0.idleSeconds = 1 }) { served, log in
      try log.commit()
      let port = try #require(served.server.port)
      let slow = try #require(RawExchange(port: port, "GET /v1/events \(Self.unread)", drips: true))
      #expect(await eventually { slow.answer.hasPrefix("HTTP/1.1 200 ") })
      #expect(await eventually(8) { slow.isClosed })
      #expect(await eventually { served.book.entries.isEmpty })
      slow.end()
    }
  }

  @Test("a body that came with its request leaves the connection as it was")
  func wholeBody() async throws {
    try await Served.with { served in
      let head = "HTTP/1.1\r\nHost: localhost\r\n"
      let port = try #require(served.server.port)
      let exchange = try #require(
        RawExchange(
          port: port,
          "GET /v1/health \(head)Content-Length: 2\r\n\r\nabGET /v1/slots \(head)Connection: close\r\n\r\n"))
      #expect(await eventually { exchange.isClosed })
      #expect(exchange.answer.contains("{\"status\":\"ok\"}"))
      #expect(exchange.answer.contains("{\"slots\":[\"ledger\",\"cards\"]}"))
      exchange.end()
    }
  }

  @Test("HTTP/1.0 is answered without chunks, and the connection ends with the answer")
  func old() async throws {
    try await Served.withLog { served, log in
      try log.commit(3)
      let port = try #require(served.server.port)
      let exchange = try #require(
        RawExchange(port: port, "GET /v1/events?after=earliest&wait=0 HTTP/1.0\r\n\r\n"))
      #expect(await eventually { exchange.isClosed })
      #expect(exchange.answer.hasPrefix("HTTP/1.0 200 OK\r\n"))
      #expect(!exchange.answer.lowercased().contains("chunked"))
      let parts = exchange.answer.split(separator: "\r\n\r\n", maxSplits: 1)
      #expect(try #require(parts.last).hasPrefix("{\"specversion\""))
      #expect(EventStreamTests.ids(exchange.answer) == log.ids)
      exchange.end()
    }
  }

  @Test("an answer to HEAD has no body, also where nothing is found")
  func head() async throws {
    try await Served.withLog { served, log in
      try log.commit()
      let port = try #require(served.server.port)
      for path in ["/nope", "/v1/events?limit=0", "/v1/slots/none", "/v1/health", "/v1/events"] {
        let head = "HTTP/1.1\r\nHost: localhost\r\n"
        let exchange = try #require(
          RawExchange(
            port: port,
            "HEAD \(path) \(head)\r\nGET /v1/health \(head)Connection: close\r\n\r\n"))
        #expect(await eventually { exchange.isClosed })
        let parts = exchange.answer.split(separator: "\r\n\r\n")
        #expect(parts.count == 3 && parts[1].hasPrefix("HTTP/1.1 200 OK"), "\(path): \(exchange.answer)")
        exchange.end()
      }
    }
  }

  @Test("another method is refused where there is something to read, and what is allowed is said")
  func methods() async throws {
    try await Served.withLog { served, _ in
      for path in [
        "/v1/health", "/v1/slots", "/v1/slots/ledger", "/v1/slots/ledger/reads", "/v1/events",
        "/v1/positions",
        "/v1/states",
      ] {
        let answer = try await served.get(path, "-X", "DELETE", "--include")
        #expect(answer.status == 405 && answer.type == "application/problem+json", "\(path)")
        #expect(answer.body.lowercased().contains("allow: get, head\r\n"))
      }
      for path in ["/v1", "/v1/other", "/v2/health", "/v1/slots/ledger/other"] {
        try await #expect(served.get(path, "-X", "POST").status == 404)
      }
    }
  }

  @Test("without tokens only the names of this machine are answered; with them any")
  func hosts() async throws {
    try await Served.withLog { served, _ in
      for name in [
        "evil.example.com", "localhost.evil.example.com", "127.0.0.1.evil", "localhost:8x", "[::1",
      ] {
        let answer = try await served.get("/v1/events?wait=0", "-H", "Host: \(name)")
        #expect(answer.status == 421 && answer.body.contains("\"title\":\"no such host\""), "\(name)")
      }
      for name in ["localhost", "LOCALHOST:99", "127.0.0.1:8642", "[::1]", "[::1]:1"] {
        try await #expect(served.get("/v1/health", "-H", "Host: \(name)").status == 200, "\(name)")
      }
    }
    try await Served.with(tokens: "risk \(ServerTests.risk) *\n") { served in
      try await #expect(
        served.get(
          "/v1/slots", "-H", "Host: ledger.internal", "-H", "Authorization: Bearer \(ServerTests.risk)"
        ).status == 200)
    }
    #expect(LocalHost.isLocal("127.0.0.5:80", listening: "127.0.0.5"))
    #expect(!LocalHost.isLocal("127.0.0.5:80", listening: "127.0.0.1"))
  }

  @Test("numbers are digits; no path takes a parameter that it does not know")
  func parameters() async throws {
    try await Served.withLog { served, log in
      try log.commit()
      for path in [
        "/v1/events?limit=%2B5", "/v1/events?wait=%2B0s", "/v1/events?wait=-0s", "/v1/events?wait=s",
        "/v1/health?x=1", "/v1/slots?slot=ledger", "/v1/slots/ledger?key=1", "/v1/states?x=1",
      ] { try await #expect(served.get(path).status == 400, "\(path)") }
    }
  }

  @Test("server-sent events are for those who accept them, however they write it")
  func accept() async throws {
    try await Served.withLog { served, log in
      try log.commit()
      for (accept, type) in [
        ("Text/Event-Stream", "text/event-stream"),
        ("text/html, text/event-stream; q=0.5", "text/event-stream"),
        ("text/event-stream;q=0", "application/x-ndjson"), ("text/event-streams", "application/x-ndjson"),
      ] {
        let answer = try await served.get("/v1/events?wait=0", "-H", "Accept: \(accept)")
        #expect(answer.type == type, "\(accept)")
      }
    }
  }
}
