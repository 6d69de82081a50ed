public import PGOutput

/// What a position belongs to. An LSN without its origin is not a position: after a restore, a promotion or a
/// slot made anew, the same number names other bytes.
public struct OriginIdentity: Hashable, Sendable {
  /// `system_identifier` of `IDENTIFY_SYSTEM`: made at initdb, shared by physical copies.
  public var systemIdentifier: UInt64
  /// The timeline the position was read on; grows by one at each promotion.
  public var timeline: UInt32
  /// `pg_database.oid` of the ledger's database.
  public var databaseOID: UInt32
  /// The replication slot's name.
  public var slot: String
  /// Where the slot was first read: its consistent point, or the confirmed position it was found at.
  public var creationPoint: LSN

  /// An identity from its parts.
  public init(
    systemIdentifier: UInt64, timeline: UInt32, databaseOID: UInt32, slot: String, creationPoint: LSN
  ) {
    self.systemIdentifier = systemIdentifier
    self.timeline = timeline
    self.databaseOID = databaseOID
    self.slot = slot
    self.creationPoint = creationPoint
  }
}
