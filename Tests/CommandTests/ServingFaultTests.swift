import Foundation
import LocalCluster
import Synchronization
import Testing

@testable import crossfade

extension CommandTests {
  /// What goes wrong with serving, and that it is never the end of capture.
  @Suite("What crossfade run cannot serve", .serialized) struct ServingFaults {
    @Test("a certificate with the key of another: it says so, and ends with 78 before it does anything")
    func mismatch() throws {
      let port = try LoopbackPort.free()
      let slot = try LedgerSlot("served_mismatch")
      for name in ["one", "two"] {
        let made = try ChildProcess.run(
          [
            "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj",
            "/CN=localhost",
            "-keyout", "\(slot.directory)/\(name).key", "-out", "\(slot.directory)/\(name).pem",
          ], environment: [:], within: .seconds(60))
        try #require(made.status == .exited(0))
      }
      let (pem, key) = ("\(slot.directory)/one.pem", "\(slot.directory)/two.key")
      let other = slot.directory + "/other.yaml"
      try slot.definition.appending(
        "serve:\n  listen: 127.0.0.1:\(port)\n  tls: {certificate: \(pem), key: \(key)}\n"
      ).write(toFile: other, atomically: true, encoding: .utf8)
      let run = try ChildProcess.run(
        [try CrossfadeBinary.path(), "run", other], environment: slot.environment, within: .seconds(60))
      #expect(run.status == .exited(78))
      #expect(
        run.output.contains(
          "the certificate or key \(key) cannot be used: it is not the key of the first certificate in \(pem)"
        ),
        "\(run.output)")
    }

    @Test(
      "the address taken, and the tokens gone when it tries again: it goes on trying, and SIGTERM ends it")
    func retry() throws {
      let port = try LoopbackPort.free()
      let serve = "serve:\n  listen: 127.0.0.1:\(port)\n"
      let other = try LedgerSlot("served_holder", more: serve)
      try #require(try other.crossfade("expand").status == .exited(0))
      try other.start()
      let tokens = "/tmp/crossfade-retry-\(port)"
      func write() {
        let made = FileManager.default.createFile(
          atPath: tokens, contents: Data("risk \(String(repeating: "r", count: 32)) *\n".utf8),
          attributes: [.posixPermissions: 0o600])
        #expect(made)
      }
      write()
      defer { try? FileManager.default.removeItem(atPath: tokens) }
      let slot = try LedgerSlot("served_retry", more: serve + "  tokens: \(tokens)\n")
      try #require(try slot.crossfade("expand").status == .exited(0))
      try slot.start()
      func said(_ text: String) throws -> Bool {
        try eventually(within: .seconds(30)) {
          try String(contentsOfFile: slot.directory + "/run.log", encoding: .utf8).contains(text)
        }
      }
      #expect(try said("not served; trying again in 10 s error=\"cannot listen on 127.0.0.1:\(port): "))
      try FileManager.default.removeItem(atPath: tokens)
      #expect(try said("not served; trying again in 10 s error=\"the tokens in \(tokens) cannot be used: "))
      // Capture has gone on all the while.
      try slot.sql("UPDATE transactions SET status = 'Settled' WHERE id <= 10")
      try slot.awaitApplied()
      write()
      try other.stop()
      #expect(try said("serving listen=127.0.0.1:\(port)"))
      try slot.stop()
      #expect(try said("stopped in order"))
    }

    @Test("the pipeline stops in order also when the group of services is cancelled")
    func cancelled() async throws {
      let asked = Asked()
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask {
          try await OrderlyWork {
            // As the pipeline does, it waits for threads that know of no cancellation.
            let deadline = ContinuousClock.now + .seconds(10)
            while !asked.once.load(ordering: .acquiring), .now < deadline {
              try? await Task.sleep(for: .milliseconds(5))
            }
          } stop: {
            asked.once.store(true, ordering: .releasing)
          }.run()
        }
        group.cancelAll()
        try await group.waitForAll()
      }
      let wasAsked = asked.once.load(ordering: .acquiring)
      #expect(wasAsked)
    }
  }
}

/// Whether somebody asked.
private final class Asked: Sendable {
  let once = Atomic(false)
}
