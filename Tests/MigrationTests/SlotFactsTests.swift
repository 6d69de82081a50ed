import PGOutput
import Testing

@testable import ChangeLog
@testable import Migration
@testable import Postgres

@Suite("What check says of slot, log and checkpoint") struct SlotFactsTests {
  static let origin = OriginIdentity(
    systemIdentifier: 7, timeline: 1, databaseOID: 5, slot: "fade", creationPoint: LSN(rawValue: 0x100))

  static func slot(confirmed: UInt64, active: Int32? = nil) -> ReplicationSlot {
    ReplicationSlot(
      name: "fade", plugin: "pgoutput", database: "ledger", activePID: active,
      restartLSN: LSN(rawValue: 0x1000),
      confirmedFlushLSN: LSN(rawValue: confirmed), walStatus: "reserved")
  }

  static func log(watermark: UInt64) -> LogSummary {
    LogSummary(
      origin: origin, start: LSN(rawValue: 0x100), end: LSN(rawValue: watermark),
      watermark: LSN(rawValue: watermark),
      segments: 1, bytes: 512)
  }

  private func lines(_ change: (inout SlotFacts) -> Void) -> [String] {
    let facts = SlotFacts(
      name: "fade", slot: Self.slot(confirmed: 0x3000), current: LSN(rawValue: 0x4400),
      system: SystemIdentity(systemIdentifier: 7, timeline: 1, flushedLSN: .invalid, database: "ledger"),
      databaseOID: 5, log: Self.log(watermark: 0x3000), checkpoint: LSN(rawValue: 0x3000))
    return Fixture.lines(changed(facts, change).findings)
  }

  @Test("a slot that stands where the log ends passes")
  func good() {
    #expect(
      lines { _ in } == [
        "pass slot: fade is there, nobody reads it",
        "pass slot's WAL: 13.0 KiB retained, confirmed 5.0 KiB behind the server",
        "pass position: the log holds everything up to 0/3000, the slot is confirmed up to 0/3000",
      ])
    #expect(
      lines {
        $0.slot = nil
        $0.log = nil
        $0.checkpoint = nil
      } == ["pass slot: fade does not exist yet; `crossfade run` makes it"])
  }

  @Test("a slot confirmed past the log is refused as run refuses it")
  func ahead() {
    let found = lines { $0.slot = Self.slot(confirmed: 0x3001) }
    #expect(
      found[2].hasPrefix(
        "fail position: replication slot fade was confirmed up to 0/3001, the change log holds"))
  }

  @Test("a slot that is gone though capture has begun fails")
  func gone() {
    #expect(lines { $0.slot = nil }.map { $0.prefix(4) } == ["fail", "fail"])
  }

  @Test("another plugin, database, system or a lost slot fails")
  func unusable() {
    let said1 = lines { $0.slot?.plugin = "wal2json" }[2]
    #expect(said1.contains("its output plugin is wal2json"))
    let said2 = lines { $0.slot?.database = "other" }[2]
    #expect(said2.contains("it belongs to database other"))
    #expect(
      lines { $0.system.systemIdentifier = 8 }[2].hasPrefix(
        "fail position: the change log was written from system 7"))
    let said3 = lines { $0.slot?.walStatus = "lost" }[2]
    #expect(said3.hasPrefix("fail position: replication slot fade is lost"))
  }

  @Test("a stranger at the slot warns, our own capture does not; WAL about to go warns")
  func readers() {
    let stranger = lines {
      $0.slot?.activePID = 4711
      $0.reader = "pg_recvlogical"
    }
    #expect(stranger[0].hasPrefix("warn slot: fade is read by pg_recvlogical, server process 4711"))
    let ours = lines {
      $0.slot?.activePID = 4711
      $0.reader = "crossfade capture fade"
    }
    #expect(ours[0] == "pass slot: fade is read by crossfade capture fade, server process 4711")
    let tight = lines {
      $0.slot?.walStatus = "unreserved"
      $0.slot?.safeWALSize = -100
    }
    #expect(
      tight[1].hasPrefix("warn slot's WAL: 13.0 KiB retained, confirmed 5.0 KiB behind the server, 0 B left"))
  }
}
