import Operations
import Testing

@Suite("Progress")
struct ProgressTests {
  private let halfway = Progress(
    title: "backfill", done: 453_000, total: 1_000_000, unit: "rows", rate: 123_456, note: "lag 12.0 KiB")

  @Test("without a width is a plain line")
  func plain() {
    #expect(
      halfway.line(width: nil)
        == "backfill: 45.3%  453,000 of 1,000,000 rows  123,456/s  ETA 5 s  lag 12.0 KiB")
  }

  @Test("has a bar where there is room")
  func bar() {
    #expect(
      halfway.line(width: 120)
        == "backfill  [#################---------------------]"
        + "  45.3%  453,000 of 1,000,000 rows  123,456/s  ETA 5 s  lag 12.0 KiB")
    #expect(
      halfway.line(width: 96)
        == "backfill  [#######---------]  45.3%  453,000 of 1,000,000 rows  123,456/s  ETA 5 s  lag 12.0 KiB")
  }

  @Test("is never wider than the terminal", arguments: [0, 1, 3, 10, 40, 79, 80, 81, 95, 96, 120, 400])
  func width(_ width: Int) {
    #expect(halfway.line(width: width).count <= width)
  }

  @Test("too wide is cut, and shows it")
  func cut() {
    #expect(halfway.line(width: 40) == "backfill  45.3%  453,000 of 1,000,000...")
  }

  @Test("of an unknown total has neither bar nor ETA")
  func unknownTotal() {
    let progress = Progress(title: "capture", done: 12_345, unit: "changes", rate: 950)
    #expect(progress.line(width: 80) == "capture  12,345 changes  950/s")
    #expect(progress.remaining == nil)
  }

  @Test("that is complete has a full bar and no ETA")
  func complete() {
    let progress = Progress(title: "verify", done: 10, total: 10, unit: "rows", rate: 5)
    #expect(progress.line(width: 60) == "verify  [####################]  100.0%  10 of 10 rows  5.0/s")
    #expect(progress.remaining == .zero)
  }

  @Test("almost complete has a bar that is not full")
  func almost() {
    let progress = Progress(title: "v", done: 999_999, total: 1_000_000, unit: "rows")
    #expect(progress.line(width: 60) == "v  [####################-]  99.9%  999,999 of 1,000,000 rows")
  }

  @Test("tells no ETA without a rate")
  func noRate() {
    #expect(Progress(title: "v", done: 1, total: 2, unit: "rows").remaining == nil)
    #expect(Progress(title: "v", done: 1, total: 2, unit: "rows", rate: 0).remaining == nil)
    #expect(Progress(title: "v", done: 1, total: .max, unit: "rows", rate: 1e-9).remaining == nil)
    #expect(Progress(title: "v", done: 0, total: 600, unit: "rows", rate: 1).remaining == .seconds(600))
  }
}

@Suite("The pace of progress")
struct ProgressPaceTests {
  private let terminal = Terminal(isTTY: true, columns: 41, environment: [:])

  private func rows(_ done: UInt64) -> Progress { Progress(title: "rows", done: done, unit: "rows") }

  @Test("on a terminal is a status line, ten times a second at most")
  func inPlace() {
    var pace = ProgressPace(terminal: terminal)
    #expect(pace.update(rows(1), now: .zero) == .status("rows  1 rows"))
    #expect(pace.update(rows(2), now: .milliseconds(99)) == .none)
    #expect(pace.update(rows(3), now: .milliseconds(100)) == .status("rows  3 rows"))
    #expect(pace.finish(rows(4)) == .line("rows: 4 rows"))
  }

  @Test("on a pipe is a line every few seconds, and the last one once")
  func piped() {
    var pace = ProgressPace(terminal: .piped, lineInterval: .seconds(5))
    #expect(pace.update(rows(1), now: .seconds(1)) == .line("rows: 1 rows"))
    #expect(pace.update(rows(2), now: .milliseconds(5_999)) == .none)
    #expect(pace.update(rows(3), now: .seconds(6)) == .line("rows: 3 rows"))
    #expect(pace.finish(rows(3)) == .none)
    #expect(pace.finish(rows(4)) == .line("rows: 4 rows"))
  }
}

@Suite("A rate meter")
struct RateMeterTests {
  @Test("knows no rate before its second reading")
  func first() {
    var meter = RateMeter()
    #expect(meter.perSecond == nil)
    meter.record(5, at: .seconds(1))
    #expect(meter.perSecond == nil)
    meter.record(9, at: .seconds(1))
    #expect(meter.perSecond == nil)
  }

  @Test("looks at its window only")
  func window() {
    var meter = RateMeter(window: .seconds(2))
    for second in 0...10 { meter.record(UInt64(second) * 100, at: .seconds(second)) }
    #expect(meter.perSecond == 100)
    for second in 11...14 { meter.record(1_000, at: .seconds(second)) }
    #expect(meter.perSecond == 0)
  }

  @Test("begins anew when the count goes back")
  func restart() {
    var meter = RateMeter()
    meter.record(1_000, at: .seconds(1))
    meter.record(2_000, at: .seconds(2))
    meter.record(10, at: .seconds(3))
    #expect(meter.perSecond == nil)
    meter.record(30, at: .seconds(4))
    #expect(meter.perSecond == 20)
  }

  @Test("stays right however often it is read")
  func often() throws {
    var meter = RateMeter(window: .seconds(10))
    for tick in 0...5_000 { meter.record(UInt64(tick) * 3, at: .milliseconds(tick)) }
    let rate = try #require(meter.perSecond)
    #expect(abs(rate - 3_000) < 1)
  }
}
