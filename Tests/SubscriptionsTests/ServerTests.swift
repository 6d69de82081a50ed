import Derivation
import Glibc
import LocalCluster
import Testing

@testable import Subscriptions

@Suite("The server")
struct ServerTests {
  static let risk = String(repeating: "r", count: 32)
  static let all = String(repeating: "a", count: 32)

  @Test("shows its slots, where each stands, and which column is to be read")
  func slots() async throws {
    try await Served.with { served in
      try await #expect(served.get("/v1/health") == (200, "application/json", "{\"status\":\"ok\"}\n"))
      try await #expect(
        served.get("/v1/slots") == (200, "application/json", "{\"slots\":[\"ledger\",\"cards\"]}\n"))
      try await #expect(
        served.get("/v1/slots/ledger") == (200, "application/json", "{\"slot\":\"ledger\"}\n"))
      try await #expect(
        served.get("/v1/slots/ledger/reads?key=42").body
          == "{\"slot\":\"ledger\",\"new\":true,\"percent\":10}\n")
      try await #expect(
        served.get("/v1/slots/ledger/reads?key=a%20b").body
          == "{\"slot\":\"ledger\",\"new\":false,\"percent\":10}\n")
      try await #expect(served.get("/v1/slots/ledger/reads").body.contains("\"new\":false"))
      try await #expect(served.get("/v1/slots/ledger", "--head").status == 200)
    }
  }

  @Test(
    "what it cannot serve is a problem document",
    arguments: [
      ("/v1/slots/other", 404, "no such slot"), ("/v1/other", 404, "no such path"),
      ("/", 404, "no such path"),
      ("/v1/slots/ledger/reads?key=1&key=2", 400, "the request is wrong"),
      ("/v1/slots/ledger/reads?kee=1", 400, "the request is wrong"),
      ("/v1/slots/ledger/reads?key=unknown", 503, "not known"),
      ("/v1/slots/%00%22", 404, "no such slot"), ("/v1/slots/../../etc/passwd", 404, "no such path"),
    ])
  func problems(_ path: String, _ status: Int, _ title: String) async throws {
    try await Served.with { served in
      let answer = try await served.get(path)
      #expect(answer.status == status)
      #expect(answer.type == "application/problem+json")
      #expect(answer.body.hasPrefix("{\"title\":\"\(title)\",\"status\":\(status),\"detail\":\""))
    }
  }

  @Test("a token shows the slots it is for, and nothing of the others")
  func tokens() async throws {
    try await Served.with(tokens: "risk \(Self.risk) ledger\nall \(Self.all) *\n") { served in
      try await #expect(served.get("/v1/health").status == 200)
      try await #expect(served.get("/v1/slots").status == 401)
      try await #expect(served.get("/v1/slots", "-H", "Authorization: Bearer \(Self.risk)x").status == 401)
      try await #expect(served.get("/v1/slots", "-H", "Authorization: Basic \(Self.risk)").status == 401)
      try await #expect(served.get("/v1/slots?access_token=\(Self.risk)").status == 401)
      let risk = "Authorization: Bearer \(Self.risk)"
      try await #expect(served.get("/v1/slots", "-H", risk).body == "{\"slots\":[\"ledger\"]}\n")
      try await #expect(served.get("/v1/slots/ledger", "-H", risk).status == 200)
      let hidden = try await served.get("/v1/slots/cards", "-H", risk)
      let missing = try await served.get("/v1/slots/other", "-H", risk)
      #expect(hidden.status == 404)
      #expect(hidden.body == missing.body.replacing("other", with: "cards"))
      try await #expect(served.get("/v1/slots/cards/reads", "-H", risk).status == 404)
      try await #expect(
        served.get("/v1/slots/cards", "-H", "Authorization: bearer \(Self.all)").status == 200)
    }
  }

  @Test(
    "tokens are read again when the file changes; a file that cannot be used leaves the last ones in force")
  func reload() async throws {
    try await Served.with(tokens: "risk \(Self.risk) *\n") { served in
      let risk = "Authorization: Bearer \(Self.risk)"
      let all = "Authorization: Bearer \(Self.all)"
      let path = "\(served.directory)/tokens"
      try await #expect(served.get("/v1/slots", "-H", risk).status == 200)
      try Served.write("all \(Self.all) *\n", to: path)
      try await #expect(served.get("/v1/slots", "-H", risk).status == 401)
      try await #expect(served.get("/v1/slots", "-H", all).status == 200)
      try Served.write("all\n", to: path)
      try await #expect(served.get("/v1/slots", "-H", all).status == 200)
      try Served.write("risk \(Self.risk) *\n", to: path, mode: 0o644)
      try await #expect(served.get("/v1/slots", "-H", all).status == 200)
      try await #expect(served.get("/v1/slots", "-H", risk).status == 401)
      unlink(path)
      try await #expect(served.get("/v1/slots", "-H", all).status == 200)
    }
  }

  @Test("serves over TLS")
  func tls() async throws {
    try await Served.with(isTLS: true) { served in
      try await #expect(served.get("/v1/health", "--cacert", "\(served.directory)/pem").status == 200)
      try await #expect(served.get("/v1/health").status == 0)
      try await #expect(served.get("/v1/health", "--insecure", "--tls-max", "1.1").status == 0)
    }
  }

  @Test("refuses headers beyond its limit, and closes a connection that sends nothing")
  func limits() async throws {
    try await Served.with(change: { $0.idleSeconds = 1 }) { served in
      let large = String(repeating: "x", count: 20_000)
      let refused = try await served.get("/v1/health", "-H", "X-Large: \(large)").status
      #expect((400..<500).contains(refused), "\(refused)")
      let port = try #require(served.server.port)
      let half = try ChildProcess(
        ["bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/\(port); printf 'GET /v1/health HT' >&3; cat <&3"],
        output: .discard, errors: .discard)
      try await #expect(served.ended(half) != nil)
    }
  }

  @Test("a request that comes byte by byte is not waited for, however steadily it comes")
  func slowly() async throws {
    try await Served.with(change: { $0.idleSeconds = 1 }) { served in
      let port = try #require(served.server.port)
      let began = ContinuousClock.now
      let slow = try #require(SlowRequest(port: port))
      #expect(await eventually { slow.isClosed })
      #expect(ContinuousClock.now - began < .seconds(10))
      #expect(slow.sent < 200)
    }
  }

  @Test("a certificate and the key of another are refused before anything is served")
  func mismatch() async throws {
    try await Served.with(isTLS: true) { served in
      let (pem, key) = ("\(served.directory)/pem", "\(served.directory)/other")
      let made = try ChildProcess(
        ["openssl", "genrsa", "-out", key, "2048"], output: .discard, errors: .discard)
      try await #expect(served.ended(made) == .exited(0))
      await #expect(
        throws: ServeError.badCertificate(
          file: key, reason: "it is not the key of the first certificate in \(pem)")
      ) {
        try await Served.with(change: { $0.tls = .init(certificate: pem, key: key) }) { _ in }
      }
    }
  }

  @Test("says why it cannot serve")
  func refusals() async throws {
    try await Served.with { served in
      let port = try #require(served.server.port)
      do {
        try await Served.with(change: { $0.port = port }) { _ in }
        Issue.record("it listened where another does")
      } catch let error as ServeError {
        guard case .cannotListen(address: "127.0.0.1:\(port)", _) = error else {
          Issue.record("\(error)")
          return
        }
      }
      await #expect(throws: ServeError.self) {
        try await Served.with(change: { $0.tls = .init(certificate: "/none", key: "/none") }) { _ in }
      }
      await #expect(throws: ServeError.self) {
        try await Served.with(change: { $0.tokens = "/none" }) { _ in }
      }
    }
  }
}
