package import ChangeLog
package import PGOutput
package import Postgres

/// Decides whether a stream may go on where the log and the target's checkpoint stand.
///
/// PostgreSQL leaves this to its clients: a start position before the confirmed one is silently moved forward, "so the
/// client may wish to check that confirmed_flush_lsn matches its expectations" (`logical.c CreateDecodingContext`).
package struct OriginGuard {
  /// What the log holds, as far as the decision needs it.
  package struct Held: Equatable {
    package var origin: OriginIdentity
    /// Commit end of the last whole transaction.
    package var end: LSN
    /// Everything up to here is in the log.
    package var watermark: LSN

    package init(origin: OriginIdentity, end: LSN, watermark: LSN) {
      self.origin = origin
      self.end = end
      self.watermark = watermark
    }
  }

  package enum Decision: Equatable {
    /// Neither slot nor log nor checkpoint: make the slot.
    case createSlot
    /// Go on, asking the server to start at this position.
    case start(at: LSN)
  }

  package var slotName: String
  package var system: SystemIdentity
  package var databaseOID: UInt32
  package var slot: ReplicationSlot?
  package var held: Held?
  package var checkpoint: LSN?
  /// How the server's timeline came about; nil when it is the first, or when the server cannot tell.
  package var history: TimelineHistory?
  /// Whether the server's release synchronizes slots to standbys.
  package var canSynchronizeSlots: Bool

  package init(
    slotName: String, system: SystemIdentity, databaseOID: UInt32, slot: ReplicationSlot?, held: Held?,
    checkpoint: LSN?, history: TimelineHistory?, canSynchronizeSlots: Bool
  ) {
    self.slotName = slotName
    self.system = system
    self.databaseOID = databaseOID
    self.slot = slot
    self.held = held
    self.checkpoint = checkpoint
    self.history = history
    self.canSynchronizeSlots = canSynchronizeSlots
  }

  /// The decision, or the reason to refuse.
  package func decide() throws(Refusal) -> Decision {
    if let held {
      try checkOrigin(held.origin)
      try checkTimeline(held)
    }
    guard let slot else {
      if let held, held.origin.timeline < system.timeline {
        throw .slotNotSynchronized(
          slot: slotName, timeline: system.timeline, logEnd: held.watermark,
          canSynchronize: canSynchronizeSlots)
      }
      if let held { throw .slotMissing(slot: slotName, logEnd: held.watermark) }
      if let checkpoint { throw .slotMissingForCheckpoint(slot: slotName, checkpoint: checkpoint) }
      return .createSlot
    }
    try checkUsable(slot)
    guard let confirmed = slot.confirmedFlushLSN else {
      throw .slotUnusable(slot: slotName, what: "it has no confirmed position")
    }
    if let held {
      guard confirmed <= held.watermark else {
        throw .slotAhead(slot: slotName, confirmed: confirmed, held: held.watermark)
      }
      return .start(at: max(held.end, held.watermark))
    }
    if let checkpoint, confirmed > checkpoint {
      throw .slotAheadOfCheckpoint(slot: slotName, confirmed: confirmed, checkpoint: checkpoint)
    }
    return .start(at: confirmed)
  }

  private func checkOrigin(_ origin: OriginIdentity) throws(Refusal) {
    guard origin.systemIdentifier == system.systemIdentifier else {
      throw .otherSystem(log: origin.systemIdentifier, server: system.systemIdentifier)
    }
    guard origin.databaseOID == databaseOID else {
      throw .otherDatabase(log: origin.databaseOID, server: databaseOID)
    }
    guard origin.timeline <= system.timeline else {
      throw .timelineBehind(log: origin.timeline, server: system.timeline)
    }
  }

  /// After a promotion the same position may name other bytes: up to the log's watermark both timelines must be one.
  private func checkTimeline(_ held: Held) throws(Refusal) {
    let timeline = held.origin.timeline
    guard timeline < system.timeline else { return }
    guard let left = history?.end(of: timeline) else {
      throw .timelineForeign(log: timeline, server: system.timeline)
    }
    guard max(held.end, held.watermark) <= left else {
      throw .timelineDiverged(
        log: timeline, server: system.timeline, left: left, held: max(held.end, held.watermark))
    }
  }

  private func checkUsable(_ slot: ReplicationSlot) throws(Refusal) {
    guard slot.plugin != nil else { throw .slotUnusable(slot: slotName, what: "it is a physical slot") }
    guard slot.plugin == "pgoutput" else {
      throw .slotUnusable(
        slot: slotName, what: "its output plugin is \(slot.plugin ?? "unknown"), not pgoutput")
    }
    if let database = slot.database, let ours = system.database, database != ours {
      throw .slotUnusable(slot: slotName, what: "it belongs to database \(database), not \(ours)")
    }
    if slot.isLost {
      throw .slotLost(slot: slotName, reason: slot.invalidationReason ?? "wal_status is lost")
    }
  }
}
