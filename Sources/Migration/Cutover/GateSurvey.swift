import Derivation
import DualWrite
import Logging
import PGOutput
import Postgres

/// Looks at all that the gates are judged by. Writes nothing but the progress of the verification, which it brings up to date.
struct GateSurvey {
  let definition: SlotDefinition
  let options: CutoverOptions
  let interrupt: Interrupt
  let logger: Logger
  let connection: Connection

  /// What stands, and what has come to stand within the patience that was given.
  ///
  /// - Parameter isBrief: leaves out the verification and the statuses, which were looked at a moment ago.
  func take(isBrief: Bool = false) throws(MigrationError) -> GateFacts {
    let state = try MigrationState.load(slot: definition.slot, on: connection)
    let (runner, lag) = try MigrationError.asking { () throws(PostgresError) in
      let runner = try LockHolder.find("crossfade", definition.slot, on: connection)
      return (runner, try self.lag(waits: runner != nil))
    }
    let verified: GateFacts.Verified =
      isBrief ? .never : try self.verified(at: lag.target, waits: runner != nil && lag.took != nil)
    return try MigrationError.asking { () throws(PostgresError) in
      let derive = definition.derive
      let map = try? MapTable.load(derive.map, on: connection)
      let coverage = isBrief || map == nil ? nil : try coverage()
      let facts = try StepFacts.ask(derive, publication: definition.publication, on: connection)
      let plan = PlanHash.of(definition, facts: facts)
      let (role, unwritable) = try unwritable()
      // A writer of the new column may leave the old one out: it is on its way, and the verification has looked at each row.
      let direction = try Direction.load(slot: definition.slot, on: connection)
      let isBoth = direction.standing == .both
      let records = try StepRecord.load(slot: definition.slot, on: connection)
      let first = try Quarantine.list(slot: definition.slot, limit: 1, on: connection).first
      return GateFacts(
        definition: definition, phase: state?.phase, since: state?.since,
        direction: direction, runner: runner?.description,
        deriver: try RowDeriver.find(slot: definition.slot, on: connection)?.description, role: role,
        unwritable: unwritable, seesVersions: try seesVersions(), lag: lag, patience: options.patience,
        verified: verified,
        quarantined: try Quarantine.count(slot: definition.slot, on: connection),
        firstQuarantined: first.map { "\($0.key) \($0.status.map { SQLText.literal($0) } ?? "NULL")" },
        quarantineCauses: try Quarantine.causes(derive, slot: definition.slot, on: connection),
        mapFaults: map.map(faults) ?? ["\(derive.map.table) cannot be read"],
        mapRows: map?.rows.count ?? 0, coverage: coverage,
        unmapped: coverage.flatMap { coverage in
          map?.unmapped(among: isBoth ? coverage.statuses.filter { $0 != nil } : coverage.statuses)
            .map(\.description)
        } ?? [],
        texts: isBrief ? nil : try map.flatMap { map throws(PostgresError) in try texts(map, records) },
        index: try wanted(
          definition.migrate.index != .none, CatalogProbe.index(on: derive.to, of: derive.table)),
        foreignKey: try wanted(
          definition.migrate.foreignKey != .none,
          CatalogProbe.foreignKey(from: derive.to, of: derive.table, to: derive.map.table, validated: true)),
        invalidIndexes: try invalidIndexes(),
        slot: try ReplicationSlot.find(definition.slot, on: connection), loneWrites: try loneWrites(),
        reach: try ReachFacts.ask(definition, on: connection),
        textless: try wasRequired(records)
          ? (map?.rows ?? []).filter { $0.status == nil }.compactMap { $0.code?.string } : [],
        filters: try FilterFacts.ask(definition, records, on: connection),
        plan: plan.short,
        rehearsal: try RehearsalProof.latest(
          slot: definition.slot, planHash: plan.description, on: connection))
    }
  }

  /// Waits until everything that was committed when it began is applied, for as long as patience lasts.
  private func lag(waits: Bool) throws(PostgresError) -> GateFacts.Lag {
    let purpose = "see how far the dual-write is"
    let start = Deadline.now
    guard
      let target = try connection.query(
        "SELECT CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_insert_lsn() END",
        purpose: purpose)[0, 0].flatMap({ LSN($0) })
    else { throw .unexpected(purpose: purpose, what: "no WAL position") }
    let position = AppliedPosition(definition, on: connection)
    var applied = try position.read(enough: target)
    let behind = applied < target ? target.bytes(since: applied) : 0
    let deadline = Deadline.after(milliseconds: options.patience)
    while waits, applied < target, !deadline.hasPassed {
      if interrupt.wait(milliseconds: 20) { throw .interrupted(purpose: purpose) }
      applied = try position.read(enough: target)
    }
    return GateFacts.Lag(
      target: target, applied: applied,
      took: applied >= target ? StepRunner.milliseconds(since: start) : nil, behind: behind)
  }

  /// What is verified, brought up to a position. A pass that was never made is not made here: it may take hours.
  private func verified(at target: LSN, waits: Bool) throws(MigrationError) -> GateFacts.Verified {
    guard let standing = try load(), standing.isWhole, standing.invalid == nil, waits else {
      return try told(at: target)
    }
    let watcher = try MigrationError.asking { () throws(PostgresError) in
      try LockHolder.find("crossfade verify", definition.slot, on: connection)
    }
    if watcher == nil {
      var verify = VerifyOptions()
      verify.wait = .milliseconds(options.patience)
      do throws(MigrationError) {
        return try told(
          try Verify(definition: definition, options: verify, interrupt: interrupt, logger: logger)
            .verdict(at: target), at: target)
      } catch {
        if case .postgres(.interrupted) = error { throw error }
        return .failed(why: error.description, hint: error.hint)
      }
    }
    // `verify --watch` is at it: it comes by.
    let deadline = Deadline.after(milliseconds: options.patience)
    var judge = VerdictJudge(position: target)
    while let standing = try load(), !deadline.hasPassed {
      if let verdict = judge.note(standing) { return try told(verdict, at: target) }
      if interrupt.wait(milliseconds: 50) {
        throw .postgres(.interrupted(purpose: "wait for the verification"))
      }
    }
    return try told(at: target)
  }

  private func load() throws(MigrationError) -> VerifiedStanding? {
    try MigrationError.asking { () throws(PostgresError) in
      try VerifiedStanding.load(slot: definition.slot, on: connection)
    }
  }

  private func told(
    _ verdict: VerifiedStanding.Verdict? = nil, at target: LSN
  ) throws(MigrationError) -> GateFacts.Verified {
    guard let standing = try load() else { return .never }
    let age = try MigrationError.asking { () throws(PostgresError) in
      try connection.query(
        "SELECT extract(epoch FROM clock_timestamp() - updated_at) FROM crossfade.verification WHERE slot = $1",
        [.text(definition.slot)], purpose: "look how old the verification is")[0, 0].flatMap(Double.init)
    }
    return .told(
      verdict ?? standing.verdict(at: target), through: standing.through, age: age.map { max(0, $0) })
  }

  private func faults(_ map: StateMap) -> [String] {
    let listed = definition.derive.map.states
    let differences = listed.isEmpty ? [] : StateMapDifference.between(expected: listed, found: map.rows)
    return map.problems.map(\.description)
      + differences.compactMap { difference in
        switch difference {
        case .missing(let state): "state \(state.code) of the definition is not in it"
        case .different(let state, _): "id \(state.id) is not what the definition lists"
        case .unexpected: nil
        }
      }
  }

  private func coverage() throws(PostgresError) -> CoverageFacts {
    let hasIndex = try connection.query(
      CatalogProbe.index(on: definition.derive.from, of: definition.derive.table),
      purpose: "look for an index on \(definition.derive.from)"
    ).boolean(0, 0)
    return try CoverageFacts.ask(
      definition.derive, hasIndex: hasIndex, limitMilliseconds: options.scan, connection)
  }

  private func texts(_ map: StateMap, _ records: [StepRecord]) throws(PostgresError) -> MapTextFacts? {
    try MapTextFacts.ask(
      definition, map: map, without: MigrationSteps.goneCheck(definition, after: records), connection)
  }

  private func wanted(_ isWanted: Bool, _ probe: String) throws(PostgresError) -> GateFacts.Wanted {
    guard isWanted else { return .notAskedFor }
    return try connection.query(probe, purpose: "look at \(definition.derive.to)").boolean(0, 0)
      ? .stands : .missing
  }

  /// Whether the old column is required, or is again on the way back.
  private func wasRequired(_ records: [StepRecord]) throws(PostgresError) -> Bool {
    guard definition.migrate.bridge == .none else { return false }
    if records.contains(where: { $0.id == "cutover.nullable" && $0.state == .done }) { return true }
    let derive = definition.derive
    return try connection.query(
      CatalogProbe.required(derive.from, of: derive.table), purpose: "look up column \(derive.from)"
    ).boolean(0, 0)
  }

  private func unwritable() throws(PostgresError) -> (role: String, [Identifier]) {
    let derive = definition.derive
    let rows = try connection.query(
      """
      SELECT current_user, a.attname::text FROM (SELECT) AS one LEFT JOIN pg_catalog.pg_attribute AS a
          ON a.attrelid = to_regclass($1) AND a.attname IN ($2, $3) AND NOT a.attisdropped
         AND NOT has_column_privilege(a.attrelid, a.attnum, 'UPDATE')
      """, [.text(derive.table.quoted), .text(derive.from.name), .text(derive.to.name)],
      purpose: "look which columns the role may write")
    let names = (0..<rows.rowCount).compactMap { rows[$0, 1] }
    return (rows[0, 0] ?? "", [derive.from, derive.to].filter { names.contains($0.name) })
  }

  /// A grant of columns does not hold for what tells one version of a row from another.
  private func seesVersions() throws(PostgresError) -> Bool {
    try connection.query(
      """
      SELECT has_column_privilege(t.oid, 'xmin', 'SELECT') AND has_column_privilege(t.oid, 'tableoid', 'SELECT')
        FROM (SELECT to_regclass($1)::oid AS oid) AS t
      """, [.text(definition.derive.table.quoted)], purpose: "look whether the role may read row versions"
    ).boolean(0, 0)
  }

  private func invalidIndexes() throws(PostgresError) -> [String] {
    let rows = try connection.query(
      """
      SELECT i.indexrelid::regclass FROM pg_catalog.pg_index AS i JOIN pg_catalog.pg_attribute AS a
          ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
       WHERE NOT i.indisvalid AND a.attname = $2
         AND (i.indrelid = to_regclass($1) OR i.indrelid IN (SELECT relid FROM pg_catalog.pg_partition_tree(to_regclass($1))))
       ORDER BY 1
      """, [.text(definition.derive.table.quoted), .text(definition.derive.to.name)],
      purpose: "look for invalid indexes")
    return (0..<rows.rowCount).compactMap { rows[$0, 0] }
  }

  private func loneWrites() throws(PostgresError) -> GateFacts.LoneWrites {
    let purpose = "look for writes of \(definition.derive.to) alone"
    guard
      try connection.query("SELECT to_regclass('crossfade.legacy') IS NOT NULL", purpose: purpose).boolean(
        0, 0)
    else { return GateFacts.LoneWrites() }
    let rows = try connection.query(
      """
      SELECT greatest(0, extract(epoch FROM clock_timestamp() - last_at)), last_keys -> 0
        FROM crossfade.legacy AS l
       WHERE slot = $1 AND kind = 'new'
         -- Before the direction turned back they were what it was for.
         AND last_at > coalesce((SELECT d.since FROM crossfade.direction AS d WHERE d.slot = l.slot AND d.standing = 'forward'),
                                '-infinity')
       ORDER BY last_at DESC LIMIT 1
      """, [.text(definition.slot)], purpose: purpose)
    return GateFacts.LoneWrites(key: rows[0, 1], age: rows[0, 0].flatMap(Double.init))
  }
}
