import ChangeLog
import PGOutput
import Testing

@testable import Capture
@testable import Postgres

@Suite("The origin guard") struct OriginGuardTests {
  private static let origin = OriginIdentity(
    systemIdentifier: 7001, timeline: 2, databaseOID: 5, slot: "ledger", creationPoint: LSN(rawValue: 0x50))

  private func judge(
    confirmed: UInt64? = 0x100, held: (end: UInt64, watermark: UInt64)? = nil, checkpoint: UInt64? = nil,
    change: (inout OriginGuard) -> Void = { _ in }
  ) -> OriginGuard {
    var judge = OriginGuard(
      slotName: "ledger",
      system: SystemIdentity(
        systemIdentifier: 7001, timeline: 2, flushedLSN: LSN(rawValue: 0x900), database: "ledgerdb"),
      databaseOID: 5,
      slot: ReplicationSlot(
        name: "ledger", plugin: "pgoutput", database: "ledgerdb", activePID: nil,
        restartLSN: LSN(rawValue: 0x10), confirmedFlushLSN: confirmed.map { LSN(rawValue: $0) },
        walStatus: "reserved", safeWALSize: nil, invalidationReason: nil),
      held: held.map {
        .init(origin: Self.origin, end: LSN(rawValue: $0.end), watermark: LSN(rawValue: $0.watermark))
      },
      checkpoint: checkpoint.map { LSN(rawValue: $0) }, history: nil, canSynchronizeSlots: true)
    change(&judge)
    return judge
  }

  private func refusal(_ judge: OriginGuard) -> Refusal? {
    do throws(Refusal) {
      _ = try judge.decide()
      return nil
    } catch {
      return error
    }
  }

  private func lsn(_ value: UInt64) -> LSN { LSN(rawValue: value) }

  @Test("with neither slot nor log nor checkpoint a slot is made")
  func nothingYet() throws {
    #expect(try judge { $0.slot = nil }.decide() == .createSlot)
  }

  @Test("a slot without a log starts where it was confirmed")
  func slotOnly() throws {
    #expect(try judge().decide() == .start(at: lsn(0x100)))
  }

  @Test("a checkpoint at or past the confirmed position needs no log")
  func checkpointOnly() throws {
    #expect(try judge(checkpoint: 0x100).decide() == .start(at: lsn(0x100)))
    #expect(try judge(checkpoint: 0x200).decide() == .start(at: lsn(0x100)))
    #expect(
      refusal(judge(checkpoint: 0xFF))
        == .slotAheadOfCheckpoint(slot: "ledger", confirmed: lsn(0x100), checkpoint: lsn(0xFF)))
  }

  @Test("a log starts at its own end, which may be past what was confirmed, and never before it")
  func held() throws {
    #expect(try judge(held: (0x100, 0x100)).decide() == .start(at: lsn(0x100)))
    #expect(try judge(held: (0x200, 0x300)).decide() == .start(at: lsn(0x300)))
    #expect(try judge(held: (0x80, 0x100)).decide() == .start(at: lsn(0x100)))
    #expect(
      refusal(judge(held: (0x80, 0xFF)))
        == .slotAhead(slot: "ledger", confirmed: lsn(0x100), held: lsn(0xFF)))
  }

  @Test("a log makes the checkpoint's place irrelevant: it holds what lies between")
  func heldAndCheckpoint() throws {
    #expect(try judge(held: (0x200, 0x200), checkpoint: 0x10).decide() == .start(at: lsn(0x200)))
  }

  @Test("a slot that is gone is never made anew over a log or a checkpoint")
  func slotGone() {
    #expect(
      refusal(judge(held: (0x80, 0x100)) { $0.slot = nil })
        == .slotMissing(slot: "ledger", logEnd: lsn(0x100)))
    #expect(
      refusal(judge(checkpoint: 0x80) { $0.slot = nil })
        == .slotMissingForCheckpoint(slot: "ledger", checkpoint: lsn(0x80)))
  }

  @Test("a log of another system, another database or a later timeline is refused before all else")
  func otherOrigin() throws {
    #expect(
      refusal(judge(held: (1, 1)) { $0.system.systemIdentifier = 7002 })
        == .otherSystem(log: 7001, server: 7002))
    #expect(refusal(judge(held: (1, 1)) { $0.databaseOID = 6 }) == .otherDatabase(log: 5, server: 6))
    #expect(refusal(judge(held: (1, 1)) { $0.system.timeline = 1 }) == .timelineBehind(log: 2, server: 1))
  }

  /// A server that was promoted twice since the log was written, and left its timeline at 0x300.
  private func promoted(
    held: (end: UInt64, watermark: UInt64), change: (inout OriginGuard) -> Void = { _ in }
  ) -> OriginGuard {
    judge(held: held) { judge in
      judge.system.timeline = 4
      judge.history = TimelineHistory(
        timeline: 4,
        ancestors: [
          .init(timeline: 1, end: LSN(rawValue: 0x20)), .init(timeline: 2, end: LSN(rawValue: 0x300)),
          .init(timeline: 3, end: LSN(rawValue: 0x500)),
        ])
      change(&judge)
    }
  }

  @Test("a promoted server that had all the log has is the one we knew")
  func promotion() throws {
    #expect(try promoted(held: (0x200, 0x2FF)).decide() == .start(at: lsn(0x2FF)))
    #expect(try promoted(held: (0x300, 0x300)).decide() == .start(at: lsn(0x300)))
    #expect(
      try promoted(held: (0x200, 0x200)) { $0.slot?.synced = true }.decide() == .start(at: lsn(0x200)))
  }

  @Test("a promoted server that lacks what the log holds, or has vouched for, is refused, slot or no slot")
  func divergence() {
    let refused = Refusal.timelineDiverged(log: 2, server: 4, left: lsn(0x300), held: lsn(0x301))
    #expect(refusal(promoted(held: (0x301, 0x301))) == refused)
    #expect(refusal(promoted(held: (0x200, 0x301))) == refused)
    #expect(refusal(promoted(held: (0x301, 0x200))) == refused)
    #expect(refusal(promoted(held: (0x301, 0x301)) { $0.slot = nil }) == refused)
  }

  @Test("a server that never was on the log's timeline, or cannot show it, is refused")
  func foreignTimeline() {
    let refused = Refusal.timelineForeign(log: 2, server: 4)
    #expect(refusal(promoted(held: (0x200, 0x200)) { $0.history?.ancestors.remove(at: 1) }) == refused)
    #expect(refusal(promoted(held: (0x200, 0x200)) { $0.history = nil }) == refused)
  }

  @Test("a promoted server without the slot is refused with what would have brought it along")
  func notSynchronized() {
    for can in [true, false] {
      let judge = promoted(held: (0x200, 0x210)) {
        $0.slot = nil
        $0.canSynchronizeSlots = can
      }
      #expect(
        refusal(judge)
          == .slotNotSynchronized(slot: "ledger", timeline: 4, logEnd: lsn(0x210), canSynchronize: can))
    }
  }

  @Test("a synchronized slot that was confirmed past the log is ahead as any other")
  func promotedAhead() {
    #expect(
      refusal(promoted(held: (0x80, 0xFF)))
        == .slotAhead(slot: "ledger", confirmed: lsn(0x100), held: lsn(0xFF)))
  }

  @Test("a slot that cannot serve us is refused with the reason")
  func unusable() {
    #expect(
      refusal(judge { $0.slot?.plugin = nil }) == .slotUnusable(slot: "ledger", what: "it is a physical slot")
    )
    #expect(
      refusal(judge { $0.slot?.plugin = "test_decoding" })
        == .slotUnusable(slot: "ledger", what: "its output plugin is test_decoding, not pgoutput"))
    #expect(
      refusal(judge { $0.slot?.database = "other" })
        == .slotUnusable(slot: "ledger", what: "it belongs to database other, not ledgerdb"))
    #expect(
      refusal(judge(confirmed: nil)) == .slotUnusable(slot: "ledger", what: "it has no confirmed position"))
  }

  @Test("a slot whose WAL is gone is lost, by either sign, and not retried as something else")
  func lost() {
    #expect(
      refusal(judge { $0.slot?.walStatus = "lost" })
        == .slotLost(slot: "ledger", reason: "wal_status is lost"))
    #expect(
      refusal(judge { $0.slot?.invalidationReason = "idle_timeout" })
        == .slotLost(slot: "ledger", reason: "idle_timeout"))
    #expect(
      refusal(
        judge(confirmed: nil, held: (0x80, 0x100)) {
          $0.slot?.walStatus = "lost"
          $0.slot?.invalidationReason = "wal_removed"
        }) == .slotLost(slot: "ledger", reason: "wal_removed"))
  }
}
