import Derivation
import PGOutput
import Testing

@testable import Migration

@Suite("Signals") struct SignalTests {
  private func board(
    _ limits: [SlotDefinition.Signal: SlotDefinition.SignalLimit], maxAge: Double = 10_000
  ) -> SignalBoard { SignalBoard(.init(limits: limits), maxAge: maxAge) }

  @Test("without signals there is no load; before the first look what is on holds")
  func first() {
    #expect(board([:]).verdict(now: 0) == .init(load: 0, worst: nil, all: []))
    let verdict = board([.walRate: .init(100)]).verdict(now: 0)
    #expect(verdict.load == nil && verdict.worst?.text == "wal_rate unknown (not measured yet)")
  }

  @Test("the worst by its own limit counts; a floor counts the other way round")
  func worst() {
    var board = board([.walRate: .init(1000), .slotRoom: .init(100), .vacuums: .init(1)])
    board.record("wal_rate", .value(500), at: 0)
    board.record("slot_room", .value(400), at: 0)
    board.record("vacuums", .value(0), at: 0)
    #expect(board.verdict(now: 1).load == 0.5)
    board.record("slot_room", .value(125), at: 0)
    #expect(board.verdict(now: 1).load == 0.8 && board.verdict(now: 1).worst?.name == "slot_room")
    board.record("slot_room", .value(-1), at: 0)
    #expect(board.verdict(now: 1).load == 10)
    #expect(board.verdict(now: 1).worst?.standing == .holds)
  }

  @Test("what is unknown, too old, no number or gone holds; unless the definition says otherwise")
  func failsClosed() {
    for (reading, at) in [
      (SignalBoard.Reading.unknown("no"), 0.0), (.value(.nan), 0), (.value(1), -10_001),
    ] {
      var board = board([.walRate: .init(100)])
      board.record("wal_rate", reading, at: at)
      #expect(board.verdict(now: 0).load == nil)
      #expect(board.verdict(now: 0).worst?.standing == .unknown)
      var lenient = self.board([.walRate: .init(100, onUnknown: .ignore)])
      lenient.record("wal_rate", reading, at: at)
      #expect(lenient.verdict(now: 0).load == 0)
      #expect(lenient.verdict(now: 0).all.map(\.standing) == [.ignored])
    }
    var board = board([.replicaLag: .init(100)])
    board.record("replica_lag", .absent("there is no standby"), at: 0)
    #expect(board.verdict(now: 1).load == 0 && board.verdict(now: 1).worst == nil)
    board.record("replica_lag", .value(1), at: 2)
    board.record("replica_lag", .absent("there is no standby"), at: 3)
    #expect(board.verdict(now: 4).load == nil)
    #expect(
      board.verdict(now: 4).worst?.text
        == "replica_lag unknown (it was there before: there is no standby), measured 1 ms ago")
  }

  @Test("bytes count our own WAL since the last look")
  func ownWAL() {
    var board = board([.replicaBytes: .init(1000), .slotLag: .init(5000)])
    board.record("replica_bytes", .value(400), at: 0, position: LSN(rawValue: 10_000))
    board.record("slot_lag", .value(1000), at: 0, position: LSN(rawValue: 10_000))
    let verdict = board.verdict(now: 1, position: LSN(rawValue: 10_500))
    #expect(verdict.load == 0.9)
    #expect(verdict.all.map(\.value) == [900, 1500])
  }

  @Test("bytes count what the next batch will write; where the limit is less than two batches, one may go")
  func nextWAL() {
    var board = board([.replicaBytes: .init(1000), .walRate: .init(1000)])
    board.record("replica_bytes", .value(700, note: "standby s1"), at: 0)
    board.record("wal_rate", .value(700), at: 0)
    #expect(board.verdict(now: 1, next: 200).load == 0.9)
    let holding = board.verdict(now: 1, next: 300)
    #expect(holding.load == 1 && holding.worst?.standing == .holds)
    #expect(
      holding.worst?.text
        == "replica_bytes 700 B, limit 1000 B (standby s1, the next batch would pass it), measured 1 ms ago")
    board.record("replica_bytes", .value(200), at: 0)
    #expect(board.verdict(now: 1, next: 5000).load == 0.7)
  }

  @Test("a signal is told with value, limit, what it is about and its age")
  func text() {
    var board = board([.replicaLag: .init(10_000), .replicaBytes: .init(1_048_576), .deadRows: .init(20)])
    board.record("replica_lag", .value(12_440, note: "standby s1"), at: 0)
    board.record("replica_bytes", .value(524_288), at: 0)
    board.record("dead_rows", .value(12.34), at: 0)
    #expect(
      board.verdict(now: 300).all.map(\.text) == [
        "replica_lag 12.4 s, limit 10 s (standby s1), measured 300 ms ago",
        "replica_bytes 512.0 KiB, limit 1.0 MiB, measured 300 ms ago",
        "dead_rows 12.3%, limit 20%, measured 300 ms ago",
      ])
  }

  @Test(
    "a standby that replays nothing lags by the age of the WAL it has not replayed, whatever it said last")
  func frozen() {
    var clock = ReplicaClock()
    for second in 0..<100 { clock.record(LSN(rawValue: UInt64(1000 + second)), at: Double(second) * 1000) }
    #expect(clock.lag(replayed: LSN(rawValue: 1099), measured: 5, now: 100_000) == 0)
    #expect(clock.lag(replayed: LSN(rawValue: 1089), measured: 5, now: 100_000) == 10_000)
    #expect(clock.lag(replayed: LSN(rawValue: 1), measured: 500_000, now: 100_000) == 500_000)
    clock.forget(upTo: LSN(rawValue: 1089))
    #expect(clock.lag(replayed: LSN(rawValue: 1089), measured: nil, now: 100_000) == 10_000)
    for tick in 0..<100_000 {
      clock.record(LSN(rawValue: UInt64(2000 + tick)), at: 100_000 + Double(tick) * 250)
    }
    #expect(clock.lag(replayed: LSN(rawValue: 1089), measured: nil, now: 25_100_000) == 25_010_000)
  }

  @Test("the slowest standby counts; one that is gone, or may not be seen, is unknown")
  func standbys() {
    var watch = ReplicaWatch()
    let position = LSN(rawValue: 5000)
    #expect(watch.look([], position: position, at: 0).lag == .absent("there is no standby"))
    let a = ReplicaWatch.Standby(name: "a", replayed: LSN(rawValue: 4000), measured: 50)
    let b = ReplicaWatch.Standby(name: "b", replayed: LSN(rawValue: 4900), measured: 70)
    let (lag, bytes) = watch.look([a, b], position: position, at: 1)
    #expect(lag == .value(70, note: "standby b") && bytes == .value(1000, note: "standby a"))
    #expect(watch.look([a], position: position, at: 2).lag == .unknown("standby b is not connected any more"))
    #expect(watch.look([a, b], position: position, at: 3).bytes == .value(1000, note: "standby a"))
    let hidden = ReplicaWatch.Standby(name: "b", replayed: nil, measured: nil)
    #expect(
      watch.look([a, hidden], position: position, at: 4).lag
        == .unknown(
          "this role may not see the standbys: GRANT pg_read_all_stats TO it, or turn the signal off"))
  }
}
