import Glibc
import LocalCluster
import Testing

@testable import Subscriptions

@Suite("The file of tokens, while it is served")
struct TokenFileTests {
  private static let risk = "Authorization: Bearer \(ServerTests.risk)"
  private static let all = "Authorization: Bearer \(ServerTests.all)"

  @Test("a file that everybody may read is refused, and taken once its mode is mended as the hint says")
  func mode() async throws {
    try await Served.with(tokens: "risk \(ServerTests.risk) *\n") { served in
      let path = "\(served.directory)/tokens"
      try Served.write("all \(ServerTests.all) *\n", to: path, mode: 0o644)
      try await #expect(served.get("/v1/slots", "-H", Self.risk).status == 200)
      chmod(path, 0o640)
      try await #expect(served.get("/v1/slots", "-H", Self.risk).status == 401)
      try await #expect(served.get("/v1/slots", "-H", Self.all).status == 200)
    }
  }

  @Test("what is wrong is said once a change; an empty file is taken, with a warning")
  func told() throws {
    var template = Array("/tmp/crossfade-tokens-XXXXXX".utf8CString)
    let directory = String(cString: try #require(mkdtemp(&template)))
    defer { _ = try? ChildProcess(["rm", "-rf", directory]).wait(for: .seconds(10)) }
    let path = "\(directory)/tokens"
    let notes = Notes()
    try Served.write("risk \(ServerTests.risk) *\n", to: path)
    let file = try TokenFile(path: path, logger: notes.logger)
    unlink(path)
    for _ in 0..<3 { #expect(file.current.tokens.count == 1) }
    #expect(notes.lines.count == 1 && notes.lines[0].contains("No such file"), "\(notes.lines)")
    try Served.write("", to: path)
    for _ in 0..<3 { #expect(file.current.tokens.isEmpty) }
    #expect(
      notes.lines.dropFirst() == [
        "notice tokens were read again tokens=0", "warning there is no token: nobody is let in file=\(path)",
      ])
    _ = try TokenFile(path: path, logger: notes.logger)
    #expect(notes.lines.count == 4)
  }

  @Test("a token that was taken back ends the streams it began, and no others")
  func revoked() async throws {
    let tokens = "risk \(ServerTests.risk) ledger\nall \(ServerTests.all) ledger\n"
    try await Served.withLog(tokens: tokens) { served, log in
      try log.commit()
      let port = try #require(served.server.port)
      let (risk, all) = (
        try #require(RawSubscriber(port: port, path: "/v1/events", headers: [Self.risk])),
        try #require(RawSubscriber(port: port, path: "/v1/events", headers: [Self.all]))
      )
      #expect(await eventually { served.book.entries.count == 2 })
      let path = "\(served.directory)/tokens"
      try Served.write("all \(ServerTests.all) ledger\n", to: path)
      #expect(await eventually { risk.isOver })
      #expect(served.book.entries.map(\.name) == ["all"] && !all.isOver)
      // The same token, but for another slot.
      try Served.write("all \(ServerTests.all) cards\n", to: path)
      #expect(await eventually { all.isOver && served.book.entries.isEmpty })
    }
  }
}
