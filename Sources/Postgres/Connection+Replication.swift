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

  /// Makes a logical slot for pgoutput.
  ///
  /// The grammar changed with 15 (`repl_gram.y`): options in parentheses, positional words before.
  public func createSlot(_ name: String, exportingSnapshot: Bool = false) throws(PostgresError) -> CreatedSlot
  {
    let purpose = "create replication slot \(name)"
    let options: String
    if serverVersion.major >= 15 {
      options = exportingSnapshot ? "(SNAPSHOT 'export')" : "(SNAPSHOT 'nothing')"
    } else {
      options = exportingSnapshot ? "EXPORT_SNAPSHOT" : "NOEXPORT_SNAPSHOT"
    }
    let rows = try script(
      "CREATE_REPLICATION_SLOT \(SQLText.identifier(name)) LOGICAL pgoutput \(options)", purpose: purpose)
    guard let point = rows[0, 1].flatMap({ LSN($0) }) else {
      throw .unexpected(purpose: purpose, what: "no consistent point")
    }
    return CreatedSlot(consistentPoint: point, snapshotName: rows[0, 2])
  }

  /// Drops a slot.
  public func dropSlot(_ name: String) throws(PostgresError) {
    try script("DROP_REPLICATION_SLOT \(SQLText.identifier(name))", purpose: "drop replication slot \(name)")
  }
}
