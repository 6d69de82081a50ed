import Postgres
import Testing

@testable import Migration

@Suite("A page that is not taken whole") struct CourseTests {
  /// A server that refuses some rows, holds others, and has been asked for pages.
  private struct Server {
    var bad: Set<Int>
    var held: Set<Int> = []
    var rows: Int
    var done: [Int] = []
    var refused: [Int] = []
    var skipped: [Int] = []
    var attempts = 0

    mutating func run(batch: Int) {
      var course = PageCourse()
      var next = 0
      while next < rows, attempts < 100_000 {
        attempts += 1
        let (count, careful) =
          switch course.next(batch: batch) {
          case .page(let rows, let careful): (rows, careful)
          case .row(let careful): (1, careful)
          }
        let page = next..<min(rows, next + count)
        if !careful, page.contains(where: held.contains) {
          #expect(course.failed(.lock, batch: batch) == .again)
        } else if page.contains(where: { bad.contains($0) && !held.contains($0) }) {
          if course.failed(.data, batch: batch) == .refuse {
            refused += page
            next = page.upperBound
            course.succeeded()
          }
        } else {
          done += page.filter { !held.contains($0) }
          skipped += page.filter { held.contains($0) }
          next = page.upperBound
          course.succeeded()
        }
      }
    }
  }

  @Test("exactly the bad rows are refused and the held ones skipped, wherever they stand", arguments: 0..<30)
  func exact(seed: UInt64) {
    var generator = Seeded(state: seed &* 7919 &+ 1)
    let rows = Int.random(in: 1...300, using: &generator)
    let bad = Set(
      (0..<Int.random(in: 0...20, using: &generator)).map { _ in Int.random(in: 0..<rows, using: &generator) }
    )
    let held = Set(
      (0..<Int.random(in: 0...5, using: &generator)).map { _ in Int.random(in: 0..<rows, using: &generator) })
    var server = Server(bad: bad, held: held, rows: rows)
    server.run(batch: Int.random(in: 1...64, using: &generator))
    #expect(server.refused == bad.subtracting(held).sorted())
    #expect(server.skipped == held.sorted())
    #expect(server.done.count == rows - held.union(bad).count)
  }

  @Test("one bad row of a page costs about twice its logarithm, a page of bad ones twice its rows")
  func cost() {
    var one = Server(bad: [4321], rows: 5000)
    one.run(batch: 5000)
    #expect(one.refused == [4321] && one.attempts <= 30)
    var all = Server(bad: Set(0..<1024), rows: 1024)
    all.run(batch: 1024)
    #expect(all.refused.count == 1024 && all.attempts <= 2 * 1024 + 1)
  }

  @Test(
    "a lock that careful statements meet too is the table's: it is waited for; a row's timeout counts the third time"
  )
  func waits() {
    var course = PageCourse()
    #expect(course.failed(.lock, batch: 10) == .again)
    #expect(course.next(batch: 10) == .page(rows: 10, careful: true))
    #expect(course.failed(.lock, batch: 10) == .wait)
    course.succeeded()
    #expect(course.next(batch: 10) == .page(rows: 10, careful: false))
    #expect(course.failed(.time, batch: 1) == .again)
    #expect(course.next(batch: 10) == .row(careful: false))
    #expect(course.failed(.time, batch: 1) == .wait)
    #expect(course.failed(.time, batch: 1) == .wait)
    #expect(course.failed(.time, batch: 1) == .refuse)
  }

  @Test("errors are the row's, the lock's, the clock's, or nobody's here")
  func kinds() {
    func kind(_ state: String) -> PageCourse.Failure? { PageCourse.Failure(SQLState(rawValue: state)) }
    #expect(kind("55P03") == .lock && kind("40P01") == .lock && kind("40001") == .lock)
    #expect(kind("57014") == .time)
    #expect(kind("23514") == .data && kind("P0001") == .data && kind("22003") == .data)
    #expect(kind("42501") == nil && kind("42P01") == nil && kind("53100") == nil)
  }

  private struct Seeded: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return (state >> 33) ^ state
    }
  }
}

@Suite("What is said to a backfill") struct ControlCommandTests {
  @Test(
    "words become commands",
    arguments: [
      ("pause", ControlCommand.pause), ("resume", .resume), ("why", .why), ("status", .status),
      ("throttle 0.8", .set(batch: nil, pace: 0.2)), ("throttle 0", .set(batch: nil, pace: 1)),
      ("set batch=100 pace=0.5", .set(batch: 100, pace: 0.5)),
      ("set batch=default", .set(batch: 0, pace: nil)),
    ])
  func words(text: String, command: ControlCommand) throws {
    #expect(try ControlCommand(words: text.split(separator: " ").map(String.init)) == command)
  }

  @Test(
    "what cannot be done is told with how to say it",
    arguments: [
      ("", "nothing was said; known: pause, resume, throttle RATIO, set batch=N pace=SHARE, why, status"),
      (
        "stop",
        "`stop` is not known; known: pause, resume, throttle RATIO, set batch=N pace=SHARE, why, status"
      ),
      ("pause now", "`pause` stands alone"),
      ("throttle 1", "throttle wants the share of the time to rest, 0 to 0.99: `throttle 0.5`"),
      ("throttle nan", "throttle wants the share of the time to rest, 0 to 0.99: `throttle 0.5`"),
      ("set", "set wants `batch=N`, `pace=SHARE` or both"),
      ("set batch=-1", "batch wants 1 to 100000, or `default`: `set batch=1000`"),
      ("set pace=0", "pace wants the share of the time to work, 0.01 to 1: `set pace=0.5`"),
      ("set speed=9", "`set speed=9` is not known; known: batch=N, pace=SHARE"),
    ])
  func faults(text: String, fault: String) {
    let thrown = #expect(throws: ControlCommand.Fault.self) {
      try ControlCommand(words: text.split(separator: " ").map(String.init))
    }
    #expect(thrown?.description == fault)
  }

  @Test("a state takes commands, and says what is not as it is by itself")
  func state() {
    var state = ControlState()
    #expect(state.settings == nil)
    for command in [ControlCommand.pause, .set(batch: 10, pace: 0.5), .why] { state.apply(command) }
    #expect(state.isPaused && state.settings == "pace 0.5, batch 10")
    for command in [ControlCommand.resume, .set(batch: 0, pace: 1)] { state.apply(command) }
    #expect(state == ControlState())
  }
}
