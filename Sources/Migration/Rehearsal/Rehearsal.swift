public import Derivation
import DualWrite
import Foundation
public import Logging
import PGOutput
public import Postgres

/// Tries a migration on a clone, forward and back, by the code that does it for good: expand, backfill, constrain, verify,
/// rollback. The proof is kept where the migration is; all else is removed, also what a killed run left.
public struct Rehearsal {
  let definition: SlotDefinition
  let rows: Int
  let place: ConnectionString?
  let interrupt: Interrupt
  let logger: Logger

  /// A rehearsal.
  ///
  /// - Parameters:
  ///   - rows: rows of the clone, at most.
  ///   - place: the server that is to hold the clone, with a copy of the database; nil for the definition's own.
  public init(
    definition: SlotDefinition, rows: Int, on place: String? = nil, interrupt: Interrupt, logger: Logger
  ) {
    self.definition = definition
    self.rows = rows
    self.place = place.map { ConnectionString($0) }
    self.interrupt = interrupt
    self.logger = logger
  }

  /// Rehearses. A step that fails is a result, not an error: it is kept as such.
  public func run(
    report: @escaping @Sendable (RehearsalNews) -> Void
  ) throws(MigrationError) -> (course: RehearsalCourse, plan: PlanHash) {
    let names = try RehearsalNames(definition.slot)
    let copy = names.definition(definition, on: place ?? definition.source)
    let home = try connect(definition.source, interrupt)
    let stage = try connect(copy.source, interrupt)
    let clone = RehearsalClone(definition: definition, copy: copy, names: names, connection: stage)
    let plan = try prepare(home, stage, names)
    var course = RehearsalCourse(place: try Self.name(names, stage, isElsewhere: place != nil))
    report(.begins(place: course.place, schema: names.schema.name))
    if try isLeft(names, stage) { report(.clears) }
    try clone.clear()
    do throws(MigrationError) {
      try act(clone, &course, report)
    } catch {
      if interrupt.isStopped {
        try cleared(copy, names)
        throw error
      }
      course.failure = error.description
    }
    try cleared(copy, names)
    try keep(course, plan, on: home)
    return (course, plan)
  }

  private func prepare(
    _ home: Connection, _ stage: Connection, _ names: RehearsalNames
  ) throws(MigrationError) -> PlanHash {
    let derive = definition.derive
    do throws(PostgresError) {
      let isThere = try stage.query(
        """
        SELECT EXISTS (SELECT FROM pg_catalog.pg_attribute WHERE attrelid = to_regclass($1) AND attname = $2
                          AND NOT attisdropped)
        """, [.text(derive.table.quoted), .text(derive.from.name)], purpose: "look up \(derive.table)"
      ).boolean(0, 0)
      guard isThere else { throw PostgresError.unexpected(purpose: Self.missing, what: "") }
      // A session of a run that was just killed may take a moment to go.
      let deadline = Deadline.after(milliseconds: 3_000)
      while try !stage.query(
        "SELECT pg_catalog.pg_try_advisory_lock(hashtext('crossfade rehearsal'), hashtext($1))",
        [.text(definition.slot)], purpose: "take the lock of the rehearsal"
      ).boolean(0, 0) {
        guard !deadline.hasPassed else {
          let holder = try LockHolder.find("crossfade rehearsal", definition.slot, on: stage)
          throw PostgresError.unexpected(
            purpose: Self.busy, what: holder.map { "\($0)" } ?? "another session")
        }
        if interrupt.wait(milliseconds: 100) { throw .interrupted(purpose: "take the lock of the rehearsal") }
      }
      try ControlTable.ensure(MigrationTables.all, on: home)
      return .of(definition, facts: try StepFacts.ask(derive, on: home))
    } catch {
      switch error {
      case .unexpected(purpose: Self.missing, _):
        throw .notReady(
          what: "\(derive.table) has no column \(derive.from) to begin with",
          hint: "a rehearsal begins before the old column is retired, on a server that has the table")
      case .unexpected(purpose: Self.busy, let holder):
        throw .busy(slot: definition.slot, holder: holder)
      default: throw .postgres(error)
      }
    }
  }

  private static let missing = "missing"
  private static let busy = "busy"

  /// Forward, and back.
  private func act(
    _ clone: RehearsalClone, _ course: inout RehearsalCourse,
    _ report: @escaping @Sendable (RehearsalNews) -> Void
  ) throws(MigrationError) {
    let copy = clone.copy
    var watch = PartWatch()
    let taken = try MigrationError.asking { () throws(PostgresError) in try clone.make(rows: rows) }
    (course.rows, course.tableRows) = (taken.rows, taken.of)
    report(.copied(rows: taken.rows, of: taken.of, ms: watch.note("copy", &course)))
    let before = try MigrationError.asking { () throws(PostgresError) in try clone.fingerprint() }
    watch.restart()

    let steps = { @Sendable (news: StepNews) in report(.step(news)) }
    course.steps += try Expand(definition: copy, interrupt: interrupt, logger: logger).run(report: steps)
      .count
    watch.note("expand", &course)
    try begin(copy, on: clone.connection)
    // There is no log beside which it could listen, and that is no news.
    var quiet = logger
    quiet.logLevel = max(logger.logLevel, .warning)
    let filled = try Backfill(definition: copy, interrupt: interrupt, logger: quiet).run { _ in }
    report(.backfilled(rows: filled.rows, ms: watch.note("backfill", &course)))
    course.steps += try Constrain(definition: copy, interrupt: interrupt, logger: logger).run(report: steps)
      .count
    watch.note("constrain", &course)
    let found = try Verify(
      definition: copy, options: VerifyOptions(), interrupt: interrupt, logger: logger,
      // Nothing but the rehearsal writes to the clone: all is applied.
      applied: { (_, _) throws(PostgresError) in LSN(rawValue: .max) }
    ).run()
    course.verified = found.rows
    guard found.isClean else { throw Self.unclean(found) }
    report(.verified(rows: found.rows, ms: watch.note("verify", &course)))

    let undone = try Rollback(definition: copy, interrupt: interrupt, logger: logger).run(
      confirm: { _ in true }, report: steps)
    course.steps += undone.outcomes?.count ?? 0
    watch.note("rollback", &course)
    let after = try MigrationError.asking { () throws(PostgresError) in try clone.fingerprint() }
    guard before == after else { throw Self.changed(before, after) }
    report(.compared(ms: watch.note("compare", &course)))
  }

  /// What capture leaves once it has begun: the backfill asks for it. Nothing changes the clone, so nothing is missed.
  private func begin(_ copy: SlotDefinition, on stage: Connection) throws(MigrationError) {
    do throws(PostgresError) {
      try stage.query(
        """
        INSERT INTO crossfade.checkpoint (slot, end_lsn, system_identifier, timeline, database_oid, creation_point)
        SELECT $1, pg_current_wal_insert_lsn(), s.system_identifier, c.timeline_id, d.oid, pg_current_wal_insert_lsn()
          FROM pg_catalog.pg_control_system() AS s, pg_catalog.pg_control_checkpoint() AS c, pg_catalog.pg_database AS d
         WHERE d.datname = current_database()
        """, [.text(copy.slot)], purpose: "begin in the place of capture")
    } catch {
      throw .postgres(error)
    }
  }

  private static func unclean(_ found: Verification) -> MigrationError {
    let counts = found.counts.filter { $0.value > 0 }.map { "\($0.value) \($0.key.rawValue)" }.sorted()
    let first =
      found.first.first.map { ", first \($0.key) with \($0.from.map(SQLText.literal) ?? "NULL")" } ?? ""
    return .notReady(
      what: "of \(found.rows) rows of the clone not all are right: "
        + (counts + (found.undecided > 0 ? ["\(found.undecided) undecided"] : []) + found.map)
        .joined(separator: ", ") + first,
      hint: "complete the map, or mend these rows; then rehearse again")
  }

  private static func changed(_ before: [String], _ after: [String]) -> MigrationError {
    let (gone, added) = (Set(before).subtracting(after).sorted(), Set(after).subtracting(before).sorted())
    return .notReady(
      what: "the clone is not what it was: "
        + (gone.map { "gone: \($0)" } + added.map { "left: \($0)" })
        .joined(separator: "; "),
      hint: "the way back leaves something behind; report this")
  }

  /// Removes everything on a session that no signal ends.
  private func cleared(_ copy: SlotDefinition, _ names: RehearsalNames) throws(MigrationError) {
    let connection = try connect(copy.source, nil)
    try RehearsalClone(definition: definition, copy: copy, names: names, connection: connection).clear()
  }

  private func isLeft(_ names: RehearsalNames, _ stage: Connection) throws(MigrationError) -> Bool {
    try MigrationError.asking { () throws(PostgresError) in
      try stage.query(
        "SELECT EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = $1)", [.text(names.schema.name)],
        purpose: "look for what an earlier rehearsal left"
      ).boolean(0, 0)
    }
  }

  private func connect(
    _ string: ConnectionString, _ interrupt: Interrupt?
  ) throws(MigrationError) -> Connection {
    try MigrationError.asking { () throws(PostgresError) in
      try Connection(
        string.revealed,
        options: .init(
          applicationName: "crossfade rehearsal \(definition.slot)",
          settings: [("search_path", "pg_catalog"), ("lock_timeout", "5000"), ("statement_timeout", "0")]),
        interrupt: interrupt)
    }
  }

  private static func name(
    _ names: RehearsalNames, _ stage: Connection, isElsewhere: Bool
  ) throws(MigrationError) -> String {
    let found = try MigrationError.asking { () throws(PostgresError) in
      try stage.query("SELECT current_database()", purpose: "ask for the database's name")
    }
    return "schema \(names.schema) of database \(found[0, 0] ?? "?")" + (isElsewhere ? " on the copy" : "")
  }

  /// The proof, and the word of it in the audit trail, in one transaction.
  private func keep(
    _ course: RehearsalCourse, _ plan: PlanHash, on home: Connection
  ) throws(MigrationError) {
    let result: RehearsalProof.Result = course.failure == nil ? .passed : .failed
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    let details = (try? encoder.encode(course)).map { String(decoding: $0, as: UTF8.self) } ?? "{}"
    let purpose = "keep the proof of the rehearsal"
    do throws(PostgresError) {
      try home.transaction(purpose: purpose) { () throws(PostgresError) in
        try MigrationState.begin(slot: definition.slot, on: home)
        try home.query(
          """
          INSERT INTO \(RehearsalTable.name) (slot, plan_hash, tool_version, result, details)
          VALUES ($1, $2, $3, $4, $5::jsonb)
          """,
          [
            .text(definition.slot), .text(plan.description), .text(ToolVersion.current),
            .text(result.rawValue),
            .text(details),
          ], purpose: purpose)
        var told = AuditEvent.Details()
        told.result = result.rawValue
        told.plan = plan.description
        told.error = course.failure
        told.rows = ["of the clone": course.rows, "compared": course.verified]
        try AuditTrail(slot: definition.slot, connection: home).append(AuditEvent(.rehearsed, details: told))
      }
    } catch {
      throw .postgres(error)
    }
  }
}

/// Times the parts.
private struct PartWatch {
  private var start = Deadline.now

  mutating func restart() { start = Deadline.now }

  /// Ends a part; its milliseconds.
  @discardableResult
  mutating func note(_ name: String, _ course: inout RehearsalCourse) -> Int64 {
    let ms = Int64((Deadline.now - start) / 1_000_000)
    course.parts.append(.init(name: name, ms: ms))
    start = Deadline.now
    return ms
  }
}
