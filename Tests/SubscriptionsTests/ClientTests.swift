import Foundation
import LocalCluster
import Testing

@testable import Subscriptions

/// Clients that people use. Where one cannot be had, the test says so and ends.
@Suite("Clients", .timeLimit(.minutes(2)))
struct ClientTests {
  @Test("Python's requests reads lines, goes, and comes back after the last one")
  func python() async throws {
    guard try await Self.has(["python3", "-c", "import requests"]) else {
      return print("not tried: python3 with requests is not here")
    }
    let script = """
      import json, sys, requests
      url, after, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
      with requests.get(url, params={"after": after}, stream=True, timeout=20) as answer:
          answer.raise_for_status()
          for line in answer.iter_lines():
              if line:
                  print(json.loads(line)["id"], flush=True)
                  count -= 1
                  if count == 0:
                      break
      """
    try await Served.withLog { served, log in
      try log.commit(3)
      let url = "http://127.0.0.1:\(try #require(served.server.port))/v1/events"
      let first = try await Self.run(["python3", "-c", script, url, "earliest", "2"], served)
      #expect(first == log.ids[..<2].joined(separator: "\n") + "\n")
      async let rest = Self.run(["python3", "-c", script, url, log.ids[1], "3"], served)
      #expect(await eventually { served.book.entries.count == 1 })
      try log.commit(2)
      try await #expect(rest == log.ids[2..<5].joined(separator: "\n") + "\n")
    }
  }

  @Test("a browser's EventSource reads events, and comes back by itself when the connection ends")
  func browser() async throws {
    guard let chromium = try await Self.browser() else { return print("not tried: no Chromium is here") }
    try await Served.withLog { served, log in
      try log.commit(3)
      let url =
        "http://127.0.0.1:\(try #require(served.server.port))/v1/events?after=earliest&limit=2&wait=20s"
      // Each answer ends after two events: the browser goes on where it was.
      let page = """
        <body><script>
        const source = new EventSource("\(url)"), ids = [];
        source.onmessage = (event) => {
          ids.push(JSON.parse(event.data).id + (event.lastEventId == JSON.parse(event.data).id ? "" : "?"));
          if (ids.length == 5) { source.close(); document.body.textContent = "seen " + ids.join(" "); }
        };
        </script></body>
        """
      try page.write(toFile: "\(served.directory)/page.html", atomically: true, encoding: .utf8)
      async let shown = Self.run(
        [
          chromium, "--headless", "--no-sandbox", "--disable-gpu", "--disable-web-security",
          "--user-data-dir=\(served.directory)/browser", "--virtual-time-budget=30000", "--dump-dom",
          "file://\(served.directory)/page.html",
        ], served)
      #expect(await eventually(40) { served.book.entries.contains { $0.events > 0 } })
      try log.commit(2)
      let text = try await shown
      #expect(text.contains("seen " + log.ids.joined(separator: " ")), "\(text)")
    }
  }

  private static func browser() async throws -> String? {
    for name in ["chromium", "chromium-browser", "google-chrome"]
    where try await has(["sh", "-c", "command -v \(name)"]) {
      return name
    }
    return nil
  }

  private static func has(_ command: [String]) async throws -> Bool {
    guard let process = try? ChildProcess(command, output: .discard, errors: .discard) else { return false }
    return await eventually { !process.isRunning } && process.status == .exited(0)
  }

  /// What a command prints.
  private static func run(_ command: [String], _ served: Served) async throws -> String {
    let path = "\(served.directory)/\(UUID().uuidString)"
    let process = try ChildProcess(command, output: .file(path), errors: .discard)
    defer { process.stop(SIGKILL) }
    #expect(await eventually(60) { !process.isRunning })
    return try String(contentsOfFile: path, encoding: .utf8)
  }
}
