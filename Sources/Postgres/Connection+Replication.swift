public import PGOutput

/// What `IDENTIFY_SYSTEM` says.
public struct SystemIdentity: Sendable, Equatable {
  /// Made at initdb; shared by physical copies.
  public var systemIdentifier: UInt64
  /// The current timeline.
  public var timeline: UInt32
  /// Where the server's WAL has been flushed to.
  public var flushedLSN: LSN
  /// The database of the session.
  public var database: String?

  package init(systemIdentifier: UInt64, timeline: UInt32, flushedLSN: LSN, database: String?) {
    self.systemIdentifier = systemIdentifier
    self.timeline = timeline
    self.flushedLSN = flushedLSN
    self.database = database
  }
}

/// What `CREATE_REPLICATION_SLOT` says.
public struct CreatedSlot: Sendable, Equatable {
  /// Everything that commits after this position will be sent.
  public var consistentPoint: LSN
  /// The snapshot of that position, alive until the session's next command.
  public var snapshotName: String?
}

extension Connection {
  /// Asks a replication session which system it talks to.
  public func identifySystem() throws(PostgresError) -> SystemIdentity {
    let purpose = "identify the system"
    let rows = try script("IDENTIFY_SYSTEM", purpose: purpose)
    guard let system = rows[0, 0].flatMap({ UInt64($0) }), let timeline = rows[0, 1].flatMap({ UInt32($0) }),
      let flushed = rows[0, 2].flatMap({ LSN($0) })
    else { throw .unexpected(purpose: purpose, what: "no system identifier, timeline and position") }
    return SystemIdentity(
      systemIdentifier: system, timeline: timeline, flushedLSN: flushed, database: rows[0, 3])
  }

  /// Makes a logical slot for pgoutput. What the server has no word for is left out of the command.
  ///
  /// - Parameters:
  ///   - twoPhase: decode transactions when they are prepared (14 and later; pgoutput does so from 15 on).
  ///   - failover: let standbys synchronize it (17 and later).
  public func createSlot(
    _ name: String, exportingSnapshot: Bool = false, twoPhase: Bool = false, failover: Bool = false
  ) throws(PostgresError) -> CreatedSlot {
    let purpose = "create replication slot \(name)"
    let options = Self.slotOptions(
      server: serverVersion, exportingSnapshot: exportingSnapshot, twoPhase: twoPhase, failover: failover)
    let rows = try script(
      "CREATE_REPLICATION_SLOT \(SQLText.identifier(name)) LOGICAL pgoutput \(options)", purpose: purpose)
    guard let point = rows[0, 1].flatMap({ LSN($0) }) else {
      throw .unexpected(purpose: purpose, what: "no consistent point")
    }
    return CreatedSlot(consistentPoint: point, snapshotName: rows[0, 2])
  }

  /// The grammar changed with 15 (`repl_gram.y`): options in parentheses, positional words before.
  static func slotOptions(
    server: ServerVersion, exportingSnapshot: Bool, twoPhase: Bool, failover: Bool
  ) -> String {
    guard server.major >= 15 else {
      let snapshot = exportingSnapshot ? "EXPORT_SNAPSHOT" : "NOEXPORT_SNAPSHOT"
      return twoPhase && server.major >= 14 ? "\(snapshot) TWO_PHASE" : snapshot
    }
    var options = ["SNAPSHOT '\(exportingSnapshot ? "export" : "nothing")'"]
    if twoPhase { options.append("TWO_PHASE 'true'") }
    if failover, server.major >= 17 { options.append("FAILOVER 'true'") }
    return "(\(options.joined(separator: ", ")))"
  }

  /// Drops a slot.
  public func dropSlot(_ name: String) throws(PostgresError) {
    try script("DROP_REPLICATION_SLOT \(SQLText.identifier(name))", purpose: "drop replication slot \(name)")
  }
}
