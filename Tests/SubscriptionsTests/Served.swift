import ChangeLog
import Derivation
import Glibc
import LocalCluster
import Logging
import Synchronization
import Testing

@testable import Subscriptions

/// A server of two slots on a free port of this machine, and curl to ask it.
struct Served {
  let server: SlotServer
  let directory: String
  var scheme = "http"
  var book = SubscriberBook()

  /// Calls `body` with a server that listens, and ends it.
  static func with(
    tokens: String? = nil, isTLS: Bool = false, change: (inout ServePlan) -> Void = { _ in },
    slots: [ServedSlot] = ["ledger", "cards"].map(slot),
    _ body: @Sendable (Served) async throws -> Void
  ) async throws {
    let book = SubscriberBook()
    var template = Array("/tmp/crossfade-served-XXXXXX".utf8CString)
    let directory = String(cString: try #require(mkdtemp(&template)))
    defer { _ = try? ChildProcess(["rm", "-rf", directory]).wait(for: .seconds(10)) }
    var serve = SlotDefinition.Serve(listen: try #require(ListenAddress("127.0.0.1:0")))
    if let tokens {
      serve.tokens = "\(directory)/tokens"
      try write(tokens, to: "\(directory)/tokens")
    }
    if isTLS {
      let made = try ChildProcess(
        [
          "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=localhost",
          "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", "\(directory)/key", "-out", "\(directory)/pem",
        ], output: .discard, errors: .discard)
      #expect(made.wait(for: .seconds(60)) == .exited(0))
      serve.tls = .init(certificate: "\(directory)/pem", key: "\(directory)/key")
    }
    var plan = ServePlan(serve)
    change(&plan)
    let server = try SlotServer(
      plan, slots: slots, book: book,
      logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    let failed = Flag()
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask {
        do { try await server.run() } catch {
          failed.value.store(true, ordering: .releasing)
          throw error
        }
      }
      let deadline = ContinuousClock.now + .seconds(20)
      while server.port == nil, ContinuousClock.now < deadline, !failed.value.load(ordering: .acquiring) {
        try await Task.sleep(for: .milliseconds(5))
      }
      if server.port == nil { return try await group.waitForAll() }
      try await body(
        Served(server: server, directory: directory, scheme: isTLS ? "https" : "http", book: book))
      group.cancelAll()
    }
  }

  /// Calls `body` with a server of one slot with events, and its log.
  static func withLog(
    tokens: String? = nil, isTLS: Bool = false, change: (inout ServePlan) -> Void = { _ in },
    segmentBytes: UInt64 = 1 << 20,
    tailBytes: Int = 8 << 20, archive: String? = nil,
    _ body: @Sendable (Served, ServedLog) async throws -> Void
  ) async throws {
    var template = Array("/tmp/crossfade-log-XXXXXX".utf8CString)
    let directory = String(cString: try #require(mkdtemp(&template)))
    defer { _ = try? ChildProcess(["rm", "-rf", directory]).wait(for: .seconds(10)) }
    let log = try ServedLog(path: directory, segmentBytes: segmentBytes, tailBytes: tailBytes)
    var ledger = slot("ledger")
    ledger.events = try log.source(
      restore: archive.map { LogRestore(ShellCommand(try ShellTemplate("cp \($0)/%f %p"))) })
    try await with(tokens: tokens, isTLS: isTLS, change: change, slots: [ledger, slot("cards")]) { served in
      try await body(served, log)
    }
  }

  private static func slot(_ name: String) -> ServedSlot {
    ServedSlot(
      name: name, status: { "{\"slot\":\"\(name)\"}" },
      reads: { key throws(ReadsUnknown) in
        switch key {
        case nil: ReadsAnswer(new: false, percent: 10)
        case "unknown": throw ReadsUnknown(reason: "the target is away")
        case let key?: ReadsAnswer(new: key.utf8.count.isMultiple(of: 2), percent: 10)
        }
      })
  }

  static func write(_ text: String, to path: String, mode: mode_t = 0o600) throws {
    let file = try #require(fopen(path + ".new", "w"))
    fputs(text, file)
    fclose(file)
    chmod(path + ".new", mode)
    rename(path + ".new", path)
  }

  /// What curl prints: the status, the content type, and the body.
  func get(_ path: String, _ arguments: String...) async throws -> (status: Int, type: String, body: String) {
    let port = try #require(server.port)
    let output = "\(directory)/body"
    let head = "\(directory)/head"
    let descriptor = open(head, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
    defer { close(descriptor) }
    let curl = try ChildProcess(
      [
        "curl", "--silent", "--show-error", "--max-time", "20", "--path-as-is", "--globoff", "-o", output,
        "-w", "%{http_code} %{content_type}",
      ]
        + arguments + ["\(scheme)://127.0.0.1:\(port)\(path)"], output: .descriptor(descriptor),
      errors: .discard)
    // Never blocking: the server answers on the same few threads as the tests run on.
    let ended = try #require(await ended(curl))
    guard ended == .exited(0) else { return (0, "\(ended)", "") }
    let words = try text(head).split(separator: " ", maxSplits: 1)
    return (Int(words[0]) ?? 0, words.count > 1 ? String(words[1]) : "", try text(output))
  }

  /// How a process ended, within half a minute.
  func ended(_ process: ChildProcess) async throws -> ProcessStatus? {
    let deadline = ContinuousClock.now + .seconds(30)
    while process.isRunning, ContinuousClock.now < deadline { try await Task.sleep(for: .milliseconds(2)) }
    return process.status
  }

  private func text(_ path: String) throws -> String {
    let file = try #require(fopen(path, "r"))
    defer { fclose(file) }
    var bytes = [UInt8](repeating: 0, count: 4 << 20)
    let count = fread(&bytes, 1, bytes.count, file)
    return String(decoding: bytes[..<count], as: UTF8.self)
  }
}

private final class Flag: Sendable {
  let value = Atomic(false)
}
