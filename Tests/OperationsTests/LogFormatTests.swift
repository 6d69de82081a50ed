import Logging
import Operations
import Testing

@Suite("Log lines")
struct LogFormatTests {
  private let time = UTCInstant(seconds: 1_795_255_200, nanoseconds: 123_456_789)

  private func line(
    _ format: LogFormat, _ level: Logger.Level = .info, _ message: String, _ metadata: Logger.Metadata = [:]
  ) -> String {
    format.line(at: time, level: level, logger: "capture", message: message, metadata: metadata)
  }

  @Test("for people stand in columns, their fields sorted")
  func text() {
    #expect(
      line(.text, .info, "caught up", ["lsn": "16/B374D848", "changes": "\(1_000)"])
        == "2026-11-21T10:00:00.123Z info  capture: caught up changes=1000 lsn=16/B374D848")
  }

  @Test("for people have levels of one width")
  func levels() {
    #expect(
      Logger.Level.allCases.map { line(.text, $0, "x").dropFirst(25) } == [
        "trace capture: x", "debug capture: x", "info  capture: x", "note  capture: x", "warn  capture: x",
        "error capture: x", "crit  capture: x",
      ])
  }

  @Test("for people quote what is not a word, and nothing forges a line")
  func quoting() {
    #expect(
      line(
        .text, .warning, "unknown status\n2026 info  fake: line\u{1B}[2J",
        [
          "status": "CHARGE BACK", "empty": "", "quote": "a\"b", "break": "a\nb", "pair": "a=b",
          "rtl": "a\u{202E}b",
        ])
        == #"2026-11-21T10:00:00.123Z warn  capture: unknown status\n2026 info  fake: line\u{1b}[2J"#
        + #" break="a\nb" empty="" pair="a=b" quote="a\"b" rtl="a\u{202e}b" status="CHARGE BACK""#)
  }

  @Test("for machines are an object a line")
  func json() {
    #expect(
      line(
        .json, .warning, "two\nlines",
        [
          "lsn": "16/B374D848", "count": .stringConvertible(12), "ok": .stringConvertible(true),
          "rate": .stringConvertible(1.5), "big": .stringConvertible(UInt64.max),
          "keys": ["1", .stringConvertible(2)],
          "nested": ["b": "2", "a": "1"], "msg": "taken",
        ])
        == #"{"ts":"2026-11-21T10:00:00.123Z","level":"warning","logger":"capture","msg":"two\nlines","#
        + #""big":"18446744073709551615","count":12,"keys":["1",2],"lsn":"16/B374D848","msg_":"taken","#
        + #""nested":{"a":"1","b":"2"},"ok":true,"rate":1.5}"#)
  }
}
