import Derivation
import Testing

@testable import Migration

@Suite("What check says of the log's directory") struct LogFactsTests {
  private func lines(_ change: (inout LogFacts) -> Void) -> [String] {
    let facts = LogFacts(directory: "/log", place: .writable, free: 80 << 30, segment: 64 << 20)
    return Fixture.lines(changed(facts, change).findings)
  }

  @Test("a writable directory with room passes")
  func good() {
    #expect(
      lines { _ in } == [
        "pass log directory: /log can be written to", "pass log disk: 80.0 GiB free", "pass log: empty",
        "pass log retention: everything is kept: 0 B so far, 80.0 GiB free",
      ])
    #expect(
      lines { $0.place = .absent }.first
        == "pass log directory: /log does not exist yet; `crossfade run` makes it")
  }

  @Test("little room warns, none fails")
  func room() {
    #expect(lines { $0.free = 9 << 30 }[1].hasPrefix("warn log disk: 9.0 GiB free"))
    #expect(
      lines { $0.free = 100 << 20 }[1].hasPrefix(
        "fail log disk: 100.0 MiB free, less than two segments of 64.0 MiB"))
  }

  @Test("places that cannot be written to fail")
  func places() {
    for place in [LogFacts.Place.orphan, .notWritable, .notDirectory] {
      #expect(lines { $0.place = place }[0].hasPrefix("fail log directory: /log "))
    }
    #expect(lines { $0.damage = "/log/0 is damaged" }[2].hasPrefix("fail log: /log/0 is damaged"))
  }

  @Test("the file system is asked")
  func asked() {
    #expect(LogFacts.ask(.init(directory: "/tmp")).place == .writable)
    #expect(LogFacts.ask(.init(directory: "/tmp/no-such-log")).place == .absent)
    #expect(LogFacts.ask(.init(directory: "/tmp/no/such/log")).place == .orphan)
    #expect(LogFacts.ask(.init(directory: "/etc/passwd")).place == .notDirectory)
    #expect(LogFacts.ask(.init(directory: "/tmp")).free > 0)
  }
}
