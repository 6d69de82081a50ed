import PGOutput
import Testing

@testable import Postgres

@Suite("A timeline's history") struct TimelineHistoryTests {
  private func read(_ file: String, timeline: UInt32 = 5) -> Result<TimelineHistory, TimelineHistoryError> {
    Result { () throws(TimelineHistoryError) in try TimelineHistory(timeline: timeline, file: file) }
  }

  /// As `timeline.c writeTimeLineHistory` writes it.
  private static let file = """
    1\t0/3000110\tno recovery target specified

    # by hand
    2\t1/0\tbefore 2026-11-01 00:00:00+00
    4\t1/A0000028\tno recovery target specified
    """

  @Test("ancestors, blank lines, comments and reasons of many words are read")
  func whole() throws {
    let history = try read(Self.file).get()
    #expect(
      history
        == TimelineHistory(
          timeline: 5,
          ancestors: [
            .init(timeline: 1, end: LSN(rawValue: 0x300_0110)),
            .init(timeline: 2, end: LSN(rawValue: 0x1_0000_0000)),
            .init(timeline: 4, end: LSN(rawValue: 0x1_A000_0028)),
          ]))
    #expect(history.end(of: 2) == LSN(rawValue: 0x1_0000_0000))
  }

  @Test("a timeline it was never on, or still is on, has no end", arguments: [0, 3, 5, 6] as [UInt32])
  func noEnd(timeline: UInt32) throws {
    #expect(try read(Self.file).get().end(of: timeline) == nil)
  }

  @Test("an empty file is the history of a timeline with none; CRLF and no reason are taken")
  func edges() throws {
    #expect(try read("").get().ancestors == [])
    #expect(
      try read("1 0/10\r\n", timeline: 2).get().ancestors == [.init(timeline: 1, end: LSN(rawValue: 0x10))])
  }

  @Test(
    "what is no line of a history is named by its number",
    arguments: [
      ("1\t0/10\n2", 2), ("x\t0/10\tr", 1), ("1\tnowhere\tr", 1), ("-1\t0/10\tr", 1), ("1\t0/10/20\tr", 1),
      ("4294967296\t0/10\tr", 1), ("\n\n1\t100000000/0\tr", 3), ("1", 1), ("\u{0}", 1),
    ])
  func malformed(file: String, number: Int) {
    #expect(read(file) == .failure(.malformedLine(number: number)))
  }

  @Test(
    "timelines that do not grow, or reach the file's own, are refused",
    arguments: [
      ("2\t0/10\tr\n1\t0/20\tr", 2), ("1\t0/10\tr\n1\t0/20\tr", 2), ("5\t0/10\tr", 1), ("0\t0/10\tr", 1),
    ])
  func order(file: String, number: Int) {
    #expect(read(file) == .failure(.outOfOrder(number: number)))
  }
}
