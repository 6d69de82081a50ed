import Capture
import ChangeLog
public import Derivation
import DualWrite
import PGOutput
public import Postgres

/// Looks whether everything is in place for a slot, and changes nothing: `crossfade check`.
///
/// What is asked (`...Facts`, values) and what is judged of it (`findings`) are apart.
public struct Preflight: Sendable {
  let definition: SlotDefinition
  /// How long the look at all statuses of the table may take.
  let scanMilliseconds: Int
  /// The command that asks, for `application_name`.
  let command: String

  /// - Parameter scanMilliseconds: how long the look at all statuses of the table may take, where no index helps.
  public init(definition: SlotDefinition, scanMilliseconds: Int = 5_000, command: String = "check") {
    self.definition = definition
    self.command = command
    self.scanMilliseconds = max(1, scanMilliseconds)
  }

  /// What can be said without the server.
  public func local() -> [Finding] {
    let states = definition.derive.map.states
    return [
      .pass(
        "definition",
        "slot \(definition.slot): \(definition.derive.table).\(definition.derive.from) -> \(definition.derive.to), "
          + (states.isEmpty ? "the map as it stands" : "\(states.count) states"))
    ] + LogFacts.ask(definition.log).findings
  }

  /// A session that can change nothing.
  public func connect(_ interrupt: Interrupt? = nil) throws(PostgresError) -> Connection {
    let connection = try Connection(
      definition.source.revealed,
      options: .init(
        applicationName: "crossfade \(command) \(definition.slot)", settings: Self.settings),
      interrupt: interrupt)
    try connection.makeReadOnly()
    return connection
  }

  private static let settings = [
    ("search_path", "pg_catalog"), ("statement_timeout", "10000"), ("lock_timeout", "1000"),
    ("max_parallel_workers_per_gather", "0"),
  ]

  /// What the server says. Throws only when the session is gone: a question that the server refuses is a finding.
  public func remote(_ connection: Connection) throws(PostgresError) -> [Finding] {
    var asked = Questions()
    let derive = definition.derive
    asked.note(
      try asked.ask("pooler") { () throws(PostgresError) in
        try PoolerFacts.ask(connection, setting: ("lock_timeout", "1s")) { () throws(PostgresError) in
          try self.connect()
        }
      }?.finding)
    let server = try asked.ask("server") { () throws(PostgresError) in try ServerFacts.ask(connection) }
    let role = try asked.ask("role") { () throws(PostgresError) in try RoleFacts.ask(connection) }
    let mark = try asked.ask("checkpoint") { () throws(PostgresError) in
      try self.checkpoint(role, connection)
    }
    let log = LogFacts.ask(definition.log).summary
    let slot = try asked.ask("slot") { () throws(PostgresError) in
      try SlotFacts.ask(definition.slot, log: log, checkpoint: mark ?? nil, connection, history: self.history)
    }
    let reads = slot?.slot?.activePID != nil
    asked.note(server?.findings(needsSlot: slot?.slot == nil, needsSender: !reads))
    let columns = try asked.ask("binary values") { () throws(PostgresError) in
      try self.binaryColumns(connection)
    }
    asked.note(columns?.unreadable.map(self.binaryFinding))
    asked.note(StreamJudge(definition.stream, server: connection.serverVersion, slot: slot?.slot).findings)
    asked.note(role?.findings)
    asked.note(slot?.findings)
    asked.note(
      try asked.ask("failover") { () throws(PostgresError) in
        try FailoverFacts.ask(self.definition, slot: slot?.slot, connection)
      }?.findings)
    let map = try asked.ask("map table") { () throws(PostgresError) in
      try MapFacts.ask(derive.map, connection)
    }
    let found = try asked.ask("table") { () throws(PostgresError) in
      try TableFacts.ask(derive.table, connection)
    }
    if let found, let table = found, let role {
      try look(at: table, role, map, begun: slot?.hasBegun ?? false, connection, &asked)
    } else if let found, found == nil {
      asked.note([
        .fail("table", "\(derive.table) does not exist", fix: "name it as schema.table in derive.table")
      ])
    }
    asked.note(map?.findings(derive.map, role: role?.role ?? "the role"))
    // Before `expand` the definition's states are what the map will hold.
    let states = derive.map.states
    let planned = map?.table == nil && !states.isEmpty ? StateMap(states) : nil
    if let found, let table = found, let rows = map?.rows ?? planned,
      table.column(derive.from)?.maySelect == true
    {
      let hasIndex = table.indexes.contains { $0.columns.first == derive.from.name }
      let coverage = try asked.ask("coverage") { () throws(PostgresError) in
        try CoverageFacts.ask(derive, hasIndex: hasIndex, limitMilliseconds: scanMilliseconds, connection)
      }
      asked.note(coverage?.findings(derive, map: rows, stands: planned == nil))
    }
    asked.note(
      try asked.ask("long transactions") { () throws(PostgresError) in try ActivityFacts.ask(connection) }?
        .finding)
    return asked.findings
  }

  /// What the stream's options come to on this server, each with its reason.
  public func stream(_ connection: Connection) throws(PostgresError) -> [NegotiatedOption] {
    StreamNegotiation(
      server: connection.serverVersion, wishes: StreamWishes(definition.stream),
      slotIsTwoPhase: try ReplicationSlot.find(definition.slot, on: connection)?.twoPhase ?? false
    ).explanations
  }

  private func look(
    at table: TableFacts, _ role: RoleFacts, _ map: MapFacts?, begun: Bool, _ connection: Connection,
    _ asked: inout Questions
  ) throws(PostgresError) {
    let derive = definition.derive
    asked.note(table.findings(derive))
    asked.note(
      try asked.ask("partitions") { () throws(PostgresError) in try PartitionFacts.ask(table.oid, connection)
      }?
      .findings(derive.table))
    let direction = try asked.ask("direction") { () throws(PostgresError) in
      try self.direction(role, connection)
    }
    asked.note(
      ColumnJudge(
        table: table, derive: derive, mapType: map?.idType(derive.map), role: role.role,
        direction: direction ?? .forward
      ).findings)
    asked.note(
      try asked.ask("triggers") { () throws(PostgresError) in
        try TriggerFacts.ask(table.oid, derive, connection)
      }?.finding)
    let publication = try asked.ask("publication") { () throws(PostgresError) in
      try PublicationFacts.ask(definition.publication, derive.table, connection)
    }
    guard let publication else { return }
    asked.note(
      PublicationJudge(
        name: definition.publication, publication: publication, table: table, derive: derive, role: role,
        hasBegun: begun, chosen: definition.events.columns
      ).finding)
  }

  /// The columns that come in binary form; none where texts do.
  private func binaryColumns(_ connection: Connection) throws(PostgresError) -> BinaryColumns {
    guard definition.stream.binary, connection.serverVersion.major >= 14 else { return BinaryColumns([]) }
    let derive = definition.derive
    return BinaryColumns(
      try TableColumn.find(
        (derive.key + [derive.from, derive.to] + definition.events.columns).map(\.name),
        schema: derive.table.schema.name,
        table: derive.table.name.name, on: connection))
  }

  private func binaryFinding(_ column: TableColumn) -> Finding {
    let refusal = Refusal.binaryUnreadable(
      table: definition.derive.table.description, column: column.name, type: column.type)
    return .fail("binary values", refusal.description, fix: refusal.hint)
  }

  /// How the server's timeline came about, as a replication session of its own can tell.
  private func history(of timeline: UInt32) throws(PostgresError) -> TimelineHistory? {
    try Connection(
      definition.source.revealed,
      options: .init(applicationName: "crossfade \(command) \(definition.slot)", replication: true)
    ).timelineHistory(timeline)
  }

  /// What the dual-write does; `forward` where we may not see it.
  private func direction(_ role: RoleFacts, _ connection: Connection) throws(PostgresError)
    -> Direction.Standing
  {
    guard role.schema?.usage == true else { return .forward }
    let maySelect = try connection.query(
      "SELECT coalesce(has_table_privilege(to_regclass('crossfade.direction'), 'SELECT'), false)",
      purpose: "look whether the direction may be read"
    ).boolean(0, 0)
    return maySelect ? try Direction.load(slot: definition.slot, on: connection).standing : .forward
  }

  private func checkpoint(_ role: RoleFacts?, _ connection: Connection) throws(PostgresError) -> LSN? {
    guard let role, role.schema?.usage == true,
      role.tables.contains(where: { $0.name == "checkpoint" && !$0.missing.contains("SELECT") })
    else { return nil }
    return try Checkpoint.load(slot: definition.slot, on: connection)?.endLSN
  }
}
