import Foundation
import Glibc
import LocalCluster
import Testing

extension CommandTests {
  /// Who is being sent events, as it is told; and the end of those who send.
  @Suite("Subscribers of crossfade run", .serialized) struct ServedSubscribers {
    @Test(
      "status lists them, for people and for programs; SIGTERM ends their streams, and nothing is called an error"
    )
    func listed() throws {
      let port = try LoopbackPort.free()
      let slot = try LedgerSlot("served_subscribers", more: "serve:\n  listen: 127.0.0.1:\(port)\n")
      try #require(try slot.crossfade("expand").status == .exited(0))
      try slot.start()
      try slot.sql("UPDATE transactions SET status = 'Settled' WHERE id <= 10")
      let path = slot.directory + "/events"
      func curl() throws -> ChildProcess {
        try ChildProcess(
          [
            "curl", "-sN", "--retry", "20", "--retry-connrefused", "--retry-delay", "1",
            "http://127.0.0.1:\(port)/v1/events?after=earliest",
          ],
          output: .file(path), errors: .discard)
      }
      let subscriber = try curl()
      defer { subscriber.stop(SIGKILL) }
      let came = eventually(within: .seconds(30)) {
        ((try? String(contentsOfFile: path, encoding: .utf8)) ?? "").split(separator: "\n").count == 10
      }
      #expect(came)
      var listed: [[String: Any]] = []
      let isListed = try eventually(within: .seconds(20)) {
        let status = try object(try slot.crossfade("status", more: ["--json"]))
        listed = try #require(status["subscribers"] as? [[String: Any]])
        return listed.first?["behind_bytes"] as? Int == 0
      }
      #expect(isListed, "\(listed)")
      let entry = try #require(listed.first)
      #expect(listed.count == 1 && entry["name"] is NSNull && entry["stalled_s"] is NSNull, "\(entry)")
      #expect((entry["peer"] as? String)?.hasPrefix("127.0.0.1:") == true, "\(entry)")
      #expect((entry["position"] as? String)?.hasPrefix("0/") == true, "\(entry)")
      #expect(try slot.crossfade("status").output.contains("\nevents     1 subscriber, none behind\n"))

      try slot.stop()
      #expect(subscriber.wait(for: .seconds(10)) == .exited(0))
      let log = try String(contentsOfFile: slot.directory + "/run.log", encoding: .utf8)
      #expect(log.contains("stopped in order") && !log.contains(" error "), "\(log)")
      #expect(try object(try slot.crossfade("status", more: ["--json"]))["subscribers"] as? [String] == [])
    }

    @Test(
      "a state that the map learns while run is up is told by it, as the dual-write writes it; /v1/states lists it"
    )
    func learned() throws {
      let port = try LoopbackPort.free()
      let slot = try LedgerSlot("served_learned", more: "serve:\n  listen: 127.0.0.1:\(port)\n")
      try #require(try slot.crossfade("expand").status == .exited(0))
      try slot.start()
      try slot.sql("UPDATE transactions SET status = 'on hold' WHERE id = 1")
      try #require(try slot.await("SELECT count(*) = 1 FROM crossfade.quarantine"))
      func events(_ rest: String) throws -> [Substring] {
        let run = try ChildProcess.run(
          [
            "curl", "-sS", "--retry", "20", "--retry-connrefused", "--retry-delay", "1",
            "http://127.0.0.1:\(port)/v1/\(rest)",
          ], within: .seconds(60))
        return run.output.split(separator: "\n")
      }
      let first = try events("events?after=earliest&limit=1")
      #expect(first.first?.contains("\"unmapped\"") == true, "\(first)")
      try slot.sql("INSERT INTO transaction_state VALUES (9, 'held', 'on hold')")
      try slot.sql("UPDATE transactions SET status = 'on hold' WHERE id BETWEEN 2 AND 4")
      try #require(try slot.await("SELECT count(*) = 3 FROM transactions WHERE state_id = 9"))
      for id in 2...4 {
        let told = try events("events?after=earliest&limit=1&wait=20s&key=\(id)")
        #expect(told.first?.contains("\"state\":{\"id\":\"9\",\"code\":\"held\"}") == true, "\(told)")
      }
      #expect(try events("states").joined().contains("\"held\""))
      try slot.stop()
    }

    @Test("one that takes nothing does not keep the process from stopping: it is cut off after a few seconds")
    func stalled() throws {
      let port = try LoopbackPort.free()
      let slot = try LedgerSlot(
        "served_stalled", rows: 20_000, more: "serve:\n  listen: 127.0.0.1:\(port)\n")
      try #require(try slot.crossfade("expand").status == .exited(0))
      try slot.start()
      for _ in 0..<2 { try slot.sql("UPDATE transactions SET status = 'Settled'") }
      let silent = try #require(SilentClient(port: port, says: SilentClient.request))
      let hesitant = try #require(SilentClient(port: port, says: "GET /v1/heal"))
      let mute = try #require(SilentClient(port: port, says: ""))
      defer { for client in [silent, hesitant, mute] { client.leave() } }
      let isStalled = try eventually(within: .seconds(40)) {
        let status = try object(try slot.crossfade("status", more: ["--json"]))
        let listed = status["subscribers"] as? [[String: Any]]
        return listed?.first?["stalled_s"] as? Int != nil
      }
      #expect(isStalled)
      #expect(try slot.crossfade("status").output.contains("; 1 takes nothing, for "))
      let began = ContinuousClock.now
      try slot.stop()
      let took = ContinuousClock.now - began
      #expect(took < .seconds(15))
      let log = try String(contentsOfFile: slot.directory + "/run.log", encoding: .utf8)
      #expect(log.contains("stopped in order") && !log.contains(" error "), "\(log)")
    }

    @Test("a run that is refused says so, and not that its server failed")
    func refused() throws {
      let port = try LoopbackPort.free()
      let slot = try LedgerSlot("served_refused", more: "serve:\n  listen: 127.0.0.1:\(port)\n")
      try #require(try slot.crossfade("expand").status == .exited(0))
      try slot.start()
      let other = slot.directory + "/other.yaml"
      try slot.definition.appending("serve:\n  listen: 127.0.0.1:\(try LoopbackPort.free())\n")
        .write(toFile: other, atomically: true, encoding: .utf8)
      let second = try ChildProcess.run(
        [try CrossfadeBinary.path(), "run", other], environment: slot.environment, within: .seconds(60))
      #expect(second.status == .exited(3), "\(second.output)")
      #expect(!second.output.contains("Waiting on child channel"), "\(second.output)")
      #expect(!second.output.contains(" error "), "\(second.output)")
    }
  }
}

/// Connects, says something, and reads no answer.
private struct SilentClient {
  /// Asks for all events.
  static let request = "GET /v1/events?after=earliest HTTP/1.1\r\nHost: localhost\r\n\r\n"
  private let descriptor: Int32

  init?(port: UInt16, says request: String) {
    guard let connected = LoopbackSocket.connected(to: port) else { return nil }
    descriptor = connected
    guard send(descriptor, request, request.utf8.count, Int32(MSG_NOSIGNAL)) == request.utf8.count
    else {
      close(descriptor)
      return nil
    }
  }

  func leave() { close(descriptor) }
}
