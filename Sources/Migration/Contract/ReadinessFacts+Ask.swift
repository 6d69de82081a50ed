import Derivation
import DualWrite
import PGOutput
import Postgres

extension ReadinessFacts {
  /// Asks for all of it; writes nothing.
  ///
  /// - Parameters:
  ///   - patience: milliseconds in which the stream may come to where the server is now.
  ///   - source: who says up to where everything is applied; nil for checkpoint and log.
  static func ask(
    _ definition: SlotDefinition, on connection: Connection, interrupt: Interrupt, patience: Int = 5_000,
    source: SeenThrough.Source? = nil
  ) throws(MigrationError) -> ReadinessFacts {
    let state = try MigrationState.load(slot: definition.slot, on: connection)
    return try MigrationError.asking { () throws(PostgresError) in
      let steps = MigrationSteps(definition, facts: try StepFacts.ask(definition.derive, on: connection))
      let account = try LegacyAccount.load(slot: definition.slot, on: connection)
      let direction = try Direction.load(slot: definition.slot, on: connection)
      let times = try times(definition.slot, hasState: state != nil, on: connection)
      let runner = try LockHolder.find("crossfade", definition.slot, on: connection)
      let seen = try SeenThrough.ask(
        account, source ?? .slot(definition), on: connection, patience: runner == nil ? 0 : patience,
        interrupt: interrupt)
      let column = try OldColumn.ask(steps, on: connection)
      return ReadinessFacts(
        definition: definition, state: state, phaseSince: times.phase, direction: direction,
        directionSince: times.direction, column: column, retiredAt: times.retired,
        runner: runner?.description, seen: seen,
        // What was counted while we waited counts too.
        account: try LegacyAccount.load(slot: definition.slot, on: connection),
        isBridged: try connection.query(
          CatalogProbe.triggers(steps.triggerNames, of: definition.derive.table),
          purpose: "look for the bridge"
        ).boolean(0, 0),
        serverMajor: connection.serverVersion.major,
        dependents: try dependents(steps, column, on: connection),
        verified: try VerifiedStanding.load(slot: definition.slot, on: connection),
        quarantined: try Quarantine.count(slot: definition.slot, on: connection))
    }
  }

  /// Our own triggers are left out: the rename ends them.
  private static func dependents(
    _ steps: MigrationSteps, _ column: OldColumn, on connection: Connection
  ) throws(PostgresError) -> Dependents? {
    let derive = steps.derive
    guard column != .gone,
      let oid = try connection.query(
        "SELECT to_regclass($1)::oid::bigint", [.text(derive.table.quoted)],
        purpose: "look up \(derive.table)"
      ).integer(0, 0)
    else { return nil }
    var dependents = try Dependents.ask(
      oid, column == .stands ? derive.from : steps.retired, own: steps.definition.publication, connection)
    let own = steps.triggerNames + [steps.guardTriggerName]
    dependents.found.removeAll { found in
      found.kind == .trigger && own.contains { found.name.contains(" \($0) ") }
    }
    return dependents
  }

  private static func times(
    _ slot: String, hasState: Bool, on connection: Connection
  ) throws(PostgresError) -> (phase: Double?, direction: Double?, retired: Double?) {
    guard hasState else { return (nil, nil, nil) }
    let hasDirection = try connection.query(
      "SELECT to_regclass('crossfade.direction') IS NOT NULL", purpose: "look up the direction"
    ).boolean(0, 0)
    let since =
      hasDirection
      ? "(SELECT extract(epoch FROM d.since) FROM crossfade.direction AS d WHERE d.slot = m.slot)" : "NULL"
    let rows = try connection.query(
      """
      SELECT extract(epoch FROM m.since), \(since),
             (SELECT extract(epoch FROM s.finished_at) FROM crossfade.step AS s
               WHERE s.slot = m.slot AND s.step = 'contract.rename' AND s.state IN ('done', 'found'))
        FROM crossfade.migration AS m WHERE m.slot = $1
      """, [.text(slot)], purpose: "look up since when")
    return (
      rows[0, 0].flatMap(Double.init), rows[0, 1].flatMap(Double.init), rows[0, 2].flatMap(Double.init)
    )
  }
}
