import PGOutput
import Testing

@testable import ChangeLog
@testable import DualWrite
@testable import Migration
@testable import Postgres

@Suite("Where a slot stands") struct StandingTests {
  private func server(checkpoint: UInt64 = 0x3000) -> ServerStanding {
    ServerStanding(
      current: LSN(rawValue: 0x4000), slot: SlotFactsTests.slot(confirmed: 0x3000),
      sender: .init(
        application: "crossfade", sent: LSN(rawValue: 0x4000), written: LSN(rawValue: 0x3800), writeLag: 0.25,
        flushLag: 0.5),
      checkpoint: Checkpoint(
        endLSN: LSN(rawValue: checkpoint), origin: SlotFactsTests.origin, transactions: 10, changes: 20,
        format: 1),
      checkpointAge: 3, quarantined: 0, firstQuarantined: [])
  }

  private let process = ProcessStanding(
    pid: 42, isAlive: true, age: 0.5, capturePhase: "streaming", captureWaits: nil,
    dualWritePhase: "applying",
    dualWriteWaits: nil, sent: LSN(rawValue: 0x2000), received: LSN(rawValue: 0x2000),
    confirmed: LSN(rawValue: 0x2000), applied: LSN(rawValue: 0x2000))

  private func standing(_ change: (inout Standing) -> Void = { _ in }) -> Standing {
    changed(
      Standing(
        slot: "fade", server: server(), log: LogStanding(summary: SlotFactsTests.log(watermark: 0x3000)),
        process: process, now: Timestamp(unixMicroseconds: 10_000_000)), change)
  }

  private func text(_ standing: Standing) -> [String] {
    standing.stages.map { stage in
      "\(stage.name) \(stage.position.map { "\($0)" } ?? "-") \(stage.bytesBehind.map(String.init) ?? "-") "
        + (stage.secondsBehind.map { "\($0)" } ?? "-")
    }
  }

  @Test("each stage has its position, its bytes behind the server and its time")
  func stages() {
    #expect(
      text(standing()) == [
        "sent 0/4000 0 0.0", "received 0/3800 2048 0.25", "logged 0/3000 4096 0.5", "applied 0/3000 4096 0.0",
        "confirmed 0/3000 4096 -",
      ])
  }

  @Test("what is not applied has the age of its oldest transaction")
  func backlog() {
    let behind = standing {
      $0.server = server(checkpoint: 0x2000)
      $0.log.oldestUnapplied = Timestamp(unixMicroseconds: 8_500_000)
    }
    #expect(text(behind)[3] == "applied 0/2000 8192 1.5")
    #expect(behind.sentence == "applying what is logged")
  }

  @Test("a log without anything after the checkpoint is applied up to its watermark")
  func idle() {
    var log = SlotFactsTests.log(watermark: 0x3000)
    log = LogSummary(
      origin: log.origin, start: log.start, end: log.end, watermark: LSN(rawValue: 0x3F00), segments: 1,
      bytes: 1)
    #expect(standing { $0.log.summary = log }.applied == LSN(rawValue: 0x3F00))
  }

  @Test("without the server, the process and the log tell what they know")
  func outage() {
    let down = standing {
      $0.server = nil
      $0.outage = "cannot connect"
    }
    #expect(
      text(down) == [
        "sent 0/2000 - -", "received 0/2000 - -", "logged 0/3000 - -", "applied 0/2000 - -",
        "confirmed 0/2000 - -",
      ])
    #expect(down.sentence == "the server cannot be asked: cannot connect")
  }

  @Test("the sentence says what is waited for, the worst first")
  func sentences() {
    #expect(standing().sentence == "everything logged is applied; waiting for the next change")
    #expect(
      standing { $0.server?.quarantined = 2 }.sentence
        == "everything logged is applied; waiting for the next change; rows in quarantine block the cutover")
    #expect(standing { $0.process = nil }.sentence == "`crossfade run` is not running")
    #expect(
      standing { $0.process?.isAlive = false }.sentence
        == "`crossfade run` is not running: process 42 has ended 0 s ago; it was killed")
    #expect(
      standing {
        $0.process?.isAlive = false
        $0.process?.capturePhase = "stopped"
        $0.process?.failure = "the log is damaged"
      }.sentence
        == "`crossfade run` is not running: process 42 has ended 0 s ago; it gave up: the log is damaged")
    #expect(
      standing { $0.process?.age = 7 }.sentence
        == "process 42 has said nothing for 7 s: it is stopped, stuck or not ours")
    #expect(
      standing {
        $0.process?.dualWritePhase = "retrying"
        $0.process?.dualWriteWaits = "the target, for 3 s: lock timeout"
      }.sentence == "the dual-write is retrying, waiting for the target, for 3 s: lock timeout")
    let said1 = standing { $0.server?.slot = nil }.sentence
    #expect(said1.hasPrefix("the slot is gone, though capture has begun"))
    let said2 = standing { $0.server?.slot?.walStatus = "lost" }.sentence
    #expect(said2.hasPrefix("the slot is lost"))
    #expect(
      standing {
        $0.process = nil
        $0.log.summary = nil
        $0.server?.slot = nil
        $0.server?.checkpoint = nil
      }.sentence == "nothing is captured yet: `crossfade expand`, then start `crossfade run`")
  }

  @Test("rates are differences over time, never negative")
  func rates() {
    var later = server()
    later.checkpoint?.transactions = 30
    later.checkpoint?.changes = 60
    later.current = LSN(rawValue: 0x5000)
    let rates = Standing.Rates(from: server(), to: later, seconds: 2)
    #expect(rates?.transactions == 10)
    #expect(rates?.changes == 20)
    #expect(rates?.walBytes == 2048)
    #expect(Standing.Rates(from: later, to: server(), seconds: 2)?.changes == 0)
    #expect(Standing.Rates(from: server(), to: later, seconds: 0) == nil)
  }
}
