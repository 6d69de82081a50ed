import Derivation
import Postgres

/// Whether the slot outlives its server: who stands by, and whether the slot waits for them (17 and later).
struct FailoverFacts: Equatable, Sendable {
  /// A slot that a standby streams through.
  struct PhysicalSlot: Equatable, Sendable {
    var name: String
    var isActive: Bool
    var isLost: Bool
  }

  var name: String
  var slot: ReplicationSlot?
  /// `stream.failover`.
  var wished: Bool?
  var server: ServerVersion
  var physical: [PhysicalSlot]
  /// Walsenders that serve no logical slot.
  var standbys: Int64
  /// `synchronized_standby_slots`: no failover slot sends what these have not got.
  var awaited: [String]

  private static let subject = "failover"

  var findings: [Finding] {
    guard server.major >= 17, wished != false || slot?.failover == true else { return [] }
    let isSynchronized =
      slot?.failover ?? StreamNegotiation.makesFailoverSlot(server: server, wished: wished)
    guard isSynchronized else { return unsynchronized.map { [$0] } ?? [] }
    let obstacles = awaited.compactMap(obstacle)
    if !obstacles.isEmpty { return obstacles }
    if awaited.isEmpty, hasStandbys { return [unguarded] }
    return [
      .pass(
        Self.subject,
        awaited.isEmpty
          ? "\(name) is synchronized to standbys; there is none"
          : "\(name) is synchronized to standbys, and sends what \(awaited.joined(separator: ", ")) already "
            + (awaited.count == 1 ? "has" : "have"))
    ]
  }

  private var hasStandbys: Bool { standbys > 0 || !physical.isEmpty }

  private var unsynchronized: Finding? {
    guard hasStandbys || wished == true else { return nil }
    return .warn(
      Self.subject,
      "\(name) is not synchronized to standbys: after a failover `crossfade run` refuses, and all has to be verified again",
      fix: "ALTER_REPLICATION_SLOT \(SQLText.identifier(name)) (FAILOVER 'true');  -- in a session with "
        + "replication=database, while nobody reads the slot")
  }

  private var unguarded: Finding {
    let names = physical.map(\.name)
    let found =
      "synchronized_standby_slots is empty: a standby may lack what the log already holds, and once such a one is "
      + "promoted `crossfade run` refuses"
    guard !names.isEmpty else {
      return .warn(
        Self.subject, found,
        fix: "give each standby a primary_slot_name, and name those slots in synchronized_standby_slots")
    }
    return .warn(
      Self.subject, found,
      fix: "ALTER SYSTEM SET synchronized_standby_slots = \(SQLText.literal(names.joined(separator: ", "))); "
        + "SELECT pg_reload_conf();  -- those of the standbys that may be promoted")
  }

  /// What keeps a failover slot waiting (`slot.c StandbySlotsHaveCaughtup`).
  private func obstacle(_ awaited: String) -> Finding? {
    let waits = "no change is sent through \(name) until "
    guard let found = physical.first(where: { $0.name == awaited }), !found.isLost else {
      let isThere = physical.contains { $0.name == awaited }
      return .fail(
        Self.subject,
        "synchronized_standby_slots names \(awaited), "
          + (isThere
            ? "which is lost: \(waits)it is made anew" : "which is no physical slot here: \(waits)it is"),
        fix: "SELECT pg_create_physical_replication_slot(\(SQLText.literal(awaited)));  "
          + "-- or take it out of synchronized_standby_slots, and SELECT pg_reload_conf()")
    }
    guard !found.isActive else { return nil }
    return .warn(
      Self.subject,
      "synchronized_standby_slots names \(awaited), and no standby streams through it: \(waits)one has caught up",
      fix:
        "start that standby, or take the slot out of synchronized_standby_slots and SELECT pg_reload_conf();")
  }
}

extension FailoverFacts {
  static func ask(
    _ definition: SlotDefinition, slot: ReplicationSlot?, _ connection: Connection
  ) throws(PostgresError) -> FailoverFacts {
    var facts = FailoverFacts(
      name: definition.slot, slot: slot, wished: definition.stream.failover,
      server: connection.serverVersion, physical: [], standbys: 0, awaited: [])
    guard connection.serverVersion.major >= 17 else { return facts }
    let slots = try connection.query(
      """
      SELECT slot_name, active, wal_status IS NOT DISTINCT FROM 'lost' FROM pg_replication_slots
       WHERE slot_type = 'physical' ORDER BY 1
      """, purpose: "look up physical slots")
    facts.physical = (0..<slots.rowCount).map { row in
      PhysicalSlot(
        name: slots[row, 0] ?? "", isActive: slots.boolean(row, 1), isLost: slots.boolean(row, 2))
    }
    // Who may not see the state of others still sees that they are there.
    facts.standbys =
      try connection.query(
        """
        SELECT count(*) FROM pg_stat_replication AS r
         WHERE coalesce(r.state, 'streaming') <> 'backup'
           AND NOT EXISTS (SELECT FROM pg_replication_slots AS s WHERE s.active_pid = r.pid AND s.slot_type = 'logical')
        """, purpose: "look up standbys"
      ).integer(0, 0) ?? 0
    let awaited = try connection.query(
      """
      SELECT trim(both ' "' FROM name)
        FROM unnest(string_to_array(current_setting('synchronized_standby_slots'), ',')) AS name WHERE name <> ''
      """, purpose: "look up synchronized_standby_slots")
    facts.awaited = (0..<awaited.rowCount).compactMap { awaited[$0, 0] }
    return facts
  }
}
