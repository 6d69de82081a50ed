import Derivation
import LocalCluster
import PGOutput
import Testing

@testable import Migration

@Suite("Rows of a batch") struct BatchControllerTests {
  private static let aim = BatchController.Aim(milliseconds: 250, walBytes: 16e6, ceiling: 5000)

  /// Runs batches on a server that takes so long a row and writes so much WAL for it.
  private func run(
    _ controller: inout BatchController, batches: Int, _ cost: (Int) -> (milliseconds: Double, wal: Double)
  ) -> [Int] {
    (0..<batches).map { batch in
      let rows = controller.rows
      let (milliseconds, wal) = cost(batch)
      controller.record(rows: rows, milliseconds: milliseconds * Double(rows), walBytes: wal * Double(rows))
      return rows
    }
  }

  @Test("it begins small, grows by half at most, and stops at the ceiling")
  func grows() {
    var controller = BatchController(Self.aim)
    let sizes = run(&controller, batches: 60) { _ in (0.005, 300) }
    #expect(sizes.first == 500 && controller.rows == 5000)
    #expect(zip(sizes, sizes.dropFirst()).allSatisfy { $1 <= $0 * 3 / 2 && $1 >= $0 })
  }

  @Test("it settles where nine statements of ten are below the aim, and stays there")
  func settles() {
    var controller = BatchController(Self.aim)
    _ = run(&controller, batches: 60) { _ in (0.2, 300) }
    #expect((1100...1300).contains(controller.rows), "\(controller.rows)")
    var generator = SeededGenerator(seed: 1)
    let sizes = run(&controller, batches: 300) { _ in (Double.random(in: 0.15...0.25, using: &generator), 300)
    }
    #expect(sizes.allSatisfy { (800...1700).contains($0) }, "\(Set(sizes).sorted())")
  }

  @Test("a batch of five times the aim costs nine tenths of its rows at once")
  func panics() {
    var controller = BatchController(Self.aim)
    _ = run(&controller, batches: 60) { _ in (0.01, 300) }
    controller.record(rows: 5000, milliseconds: 1300, walBytes: 0)
    #expect(controller.rows == 500)
    controller.timedOut()
    #expect(controller.rows == 250)
  }

  @Test("what batches of another size took says nothing")
  func stale() {
    var controller = BatchController(Self.aim)
    for _ in 0..<20 { controller.record(rows: 499, milliseconds: 10_000, walBytes: 1e9) }
    #expect(controller.rows == 500)
  }

  @Test("the WAL of a batch is kept below its budget")
  func wal() {
    var controller = BatchController(Self.aim)
    _ = run(&controller, batches: 200) { _ in (0.005, 8000) }
    #expect(Double(controller.rows) * 8000 <= 16e6, "\(controller.rows)")
    #expect(controller.rows > 1500)
  }

  @Test("whatever the server does, it stays between floor and ceiling", arguments: 0..<20)
  func bounds(seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    let ceiling = Int.random(in: 1...20_000, using: &generator)
    var controller = BatchController(.init(milliseconds: 250, walBytes: 1e6, ceiling: ceiling))
    for _ in 0..<2000 {
      if Int.random(in: 0..<50, using: &generator) == 0 { controller.timedOut() }
      controller.record(
        rows: controller.rows, milliseconds: Double.random(in: 0...3000, using: &generator),
        walBytes: Double.random(in: 0...1e8, using: &generator))
      #expect((min(BatchController.floor, ceiling)...ceiling).contains(controller.rows))
    }
    controller.limit(to: 1)
    #expect(controller.rows == 1)
  }
}

@Suite("Pace") struct PaceControllerTests {
  @Test("it stops at the limit, and goes on only with room, at half its pace")
  func hysteresis() {
    var pace = PaceController()
    pace.sample(load: 1)
    #expect(pace.isHeld)
    for load in [0.99, 0.9, 0.81] { pace.sample(load: load) }
    #expect(pace.isHeld)
    pace.sample(load: 0.79)
    #expect(!pace.isHeld && pace.duty == 0.5)
    pace.sample(load: 0.6)
    #expect(pace.duty == 0.5)
    for _ in 0..<PaceController.cooldown { pace.sample(load: 0.1) }
    #expect(pace.duty == 0.6)
    pace.sample(load: 0.8)
    #expect(pace.duty == 0.6)
    for _ in 0..<PaceController.cooldown { pace.sample(load: 0.8) }
    #expect(pace.duty == 0.42)
    for _ in 0..<200 { pace.sample(load: 0.1) }
    #expect(pace.duty == 1)
  }

  @Test("what is not known stops it, and so does what is no number")
  func unknown() {
    for load in [nil, Double.nan] {
      var pace = PaceController()
      pace.sample(load: load)
      #expect(pace.isHeld)
    }
  }

  @Test("a load that follows the pace with a delay settles instead of swinging between all and nothing")
  func feedback() {
    var pace = PaceController()
    var loads = [0.0, 0.0, 0.0, 0.0]
    var duties: [Double] = []
    var stops = 0
    for _ in 0..<400 {
      // The server bears 60 % of the full pace; a sample is four ticks old.
      loads.append((pace.isHeld ? 0 : pace.duty) / 0.8)
      let wasHeld = pace.isHeld
      pace.sample(load: loads[loads.count - 5])
      if pace.isHeld, !wasHeld { stops += 1 }
      duties.append(pace.isHeld ? 0 : pace.duty)
    }
    #expect(stops <= 3, "\(stops)")
    #expect(duties.suffix(100).allSatisfy { (0.3...0.65).contains($0) }, "\(duties.suffix(20))")
  }

  @Test("its duty stays in its bounds and a rest has an end", arguments: 0..<10)
  func bounds(seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    var pace = PaceController()
    for _ in 0..<1000 {
      pace.sample(load: Double.random(in: 0...1.5, using: &generator))
      #expect((PaceController.floor...1).contains(pace.duty))
    }
    #expect(PaceController.rest(after: 100, duty: 1) == 0)
    #expect(PaceController.rest(after: 100, duty: 0.25) == 300)
    #expect(PaceController.rest(after: 1e9, duty: 0.01) == 60_000)
  }
}

@Suite("Forecast") struct ForecastTests {
  private func run(
    minutes: Int, rate: Double, duty: Double, _ forecast: inout Forecast, _ clocks: inout BackfillClocks,
    _ rows: inout Double
  ) {
    for _ in 0..<(minutes * 60) {
      clocks.add(1000 * duty, .active)
      clocks.add(1000 * (1 - duty), .throttled)
      rows += rate * duty
      forecast.record(rows: Int64(rows), clocks: clocks)
    }
  }

  @Test("before anything was measured there is no forecast, and for no rows it is zero")
  func empty() {
    #expect(Forecast().remaining(rows: 10) == nil)
    #expect(Forecast().remaining(rows: 0) == .init(median: 0, late: 0))
  }

  @Test("rate and share of the time are told apart, and the time left is by both")
  func steady() throws {
    var (forecast, clocks, rows) = (Forecast(), BackfillClocks(), 0.0)
    run(minutes: 30, rate: 1000, duty: 0.25, &forecast, &clocks, &rows)
    #expect(abs(try #require(forecast.rowsPerActiveSecond) - 1000) < 20)
    let left = try #require(forecast.remaining(rows: 250_000))
    #expect(abs(left.median - 1_000_000) < 20_000)
    #expect(left.late >= left.median && left.late < 1_100_000)
  }

  @Test("slow stretches show in the late end of the range, not in the early one alone")
  func range() throws {
    var (forecast, clocks, rows) = (Forecast(), BackfillClocks(), 0.0)
    for _ in 0..<20 {
      run(minutes: 2, rate: 1000, duty: 1, &forecast, &clocks, &rows)
      run(minutes: 1, rate: 200, duty: 1, &forecast, &clocks, &rows)
    }
    let left = try #require(forecast.remaining(rows: 1_000_000))
    #expect(left.late > 3 * left.median / 2)
  }

  @Test("a slow beginning with small batches is soon forgotten")
  func beginning() throws {
    var (forecast, clocks, rows) = (Forecast(), BackfillClocks(), 0.0)
    for second in 0..<20 {
      clocks.add(second < 3 ? 50 : 400, .active)
      clocks.add(second < 3 ? 950 : 600, .throttled)
      rows += second < 3 ? 1000 : 40_000
      forecast.record(rows: Int64(rows), clocks: clocks)
    }
    let left = try #require(forecast.remaining(rows: 400_000))
    #expect((9_000...12_000).contains(left.median), "\(left.median)")
  }

  @Test("an operator's pause moves neither rate nor share")
  func pause() throws {
    var (forecast, clocks, rows) = (Forecast(), BackfillClocks(), 0.0)
    run(minutes: 10, rate: 1000, duty: 1, &forecast, &clocks, &rows)
    let before = forecast.remaining(rows: 1000)
    clocks.add(3_600_000, .paused)
    forecast.record(rows: Int64(rows), clocks: clocks)
    #expect(forecast.remaining(rows: 1000) == before)
    #expect(clocks.wall == 4_200_000 && clocks.duty == 1)
  }

  @Test("the drift names what moved the end")
  func drift() {
    func mark(
      _ at: Double, _ end: Double, _ rate: Double, _ change: (inout BackfillClocks) -> Void = { _ in }
    ) -> Drift.Mark {
      var clocks = BackfillClocks(active: at)
      change(&clocks)
      return .init(at: at, end: end, clocks: clocks, rate: rate)
    }
    let hour = 3_600_000.0
    let old = mark(0, 4 * hour, 1000)
    #expect(Drift(from: old, to: mark(hour, 4 * hour, 1000)).cause == nil)
    #expect(
      Drift(from: old, to: mark(hour, 5 * hour, 1000) { $0.paused = hour }).cause
        == "it was paused for 60 min")
    #expect(
      Drift(from: old, to: mark(hour, 4.5 * hour, 1000) { $0.throttled = hour / 2 }).cause
        == "signals held it for 30 min")
    #expect(Drift(from: old, to: mark(hour, 7 * hour, 500)).cause == "it does 50% fewer rows a second")
    #expect(
      Drift(from: old, to: mark(hour, 6 * hour, 1000)).cause == "there are more rows than were expected")
    #expect(Drift(from: old, to: mark(hour, 2 * hour, 2000)).cause == "it does 100% more rows a second")
    var history = DriftHistory()
    for minute in 0..<120 {
      history.record(mark(Double(minute) * 60_000, 4 * hour + Double(minute) * 60_000, 1000))
    }
    let now = mark(2 * hour, 6 * hour, 1000)
    #expect(history.recent(now)?.since == hour)
    #expect(history.recent(now)?.moved == hour)
    #expect(history.againstPlan(now)?.moved == 2 * hour)
  }
}

@Suite("Rows of a batch at a share of the time") struct PacedBatchTests {
  private func rows(_ conductor: inout Conductor, pace: Double, batch: Int? = nil) -> Int? {
    var control = ControlState()
    control.pace = pace
    control.batch = batch
    let view = BackfillWatch.View(
      verdict: .init(load: 0, worst: nil, all: []), control: control, looks: 1, moments: [:], trouble: nil)
    for _ in 0..<60 {
      guard case .work(let rows) = conductor.decide(view, now: 0) else { return nil }
      conductor.worked(
        .init(
          rows: rows, milliseconds: Double(rows) * 0.005, walBytes: Double(rows) * 200, position: .invalid))
    }
    guard case .work(let rows) = conductor.decide(view, now: 0) else { return nil }
    return rows
  }

  @Test("a tenth of the time is worked in pieces of a tenth; a batch that was asked for stays")
  func smaller() {
    var conductor = Conductor(SlotDefinition.Backfill(), clocks: BackfillClocks(), now: 0)
    #expect(rows(&conductor, pace: 1) == 5_000)
    #expect(rows(&conductor, pace: 0.1) == 500)
    #expect(rows(&conductor, pace: 0.001) == BatchController.floor)
    #expect(rows(&conductor, pace: 0.1, batch: 2_000) == 2_000)
    #expect(rows(&conductor, pace: 1) == 5_000)
  }
}
