public import Derivation
import DualWrite
public import Logging
public import Postgres

/// Adds the new representation beside the old one: the map table with its states, the nullable column, the control
/// schema. Each step looks first, so it can be run again.
public struct Expand {
  let derive: SlotDefinition.Derive
  let connection: Connection
  let interrupt: Interrupt
  let logger: Logger

  /// An expansion over one session.
  public init(derive: SlotDefinition.Derive, connection: Connection, interrupt: Interrupt, logger: Logger) {
    self.derive = derive
    self.connection = connection
    self.interrupt = interrupt
    self.logger = logger
  }

  /// What was done, in words; empty when all was there.
  public func run() throws(MigrationError) -> [String] {
    var done: [String] = []
    if try makeMap() { done.append("made map table \(derive.map.table)") }
    let added = try fillMap()
    if added > 0 { done.append("added \(added) states to \(derive.map.table)") }
    if try addColumn() { done.append("added nullable column \(derive.to) to \(derive.table)") }
    do throws(PostgresError) {
      let there = try ControlSchema.exists(on: connection)
      try ControlSchema.ensure(on: connection)
      try BackfillProgress.ensure(on: connection)
      if !there { done.append("made schema crossfade") }
    } catch {
      throw .postgres(error)
    }
    return done
  }

  /// The statement that makes the map table.
  var createMap: String {
    let map = derive.map
    return """
      CREATE TABLE \(map.table.quoted) (
        \(map.id.quoted) bigint PRIMARY KEY,
        \(map.code.quoted) text NOT NULL UNIQUE,
        \(map.status.quoted) text UNIQUE
      )
      """
  }

  private func makeMap() throws(MigrationError) -> Bool {
    guard try !exists(derive.map.table) else { return false }
    guard !derive.map.states.isEmpty else {
      throw .notReady(
        what:
          "map table \(derive.map.table) does not exist and the definition lists no states to make it from",
        hint: "list them in derive.map.states, or make the table first")
    }
    try ask(createMap, "make map table \(derive.map.table)")
    return true
  }

  /// Adds the states that are missing; one that stands there otherwise is an error, never overwritten.
  private func fillMap() throws(MigrationError) -> Int {
    let found: StateMap
    do { found = try MapTable.load(derive.map, on: connection) } catch { throw .postgres(error) }
    let differences = derive.map.states.compactMap { state -> String? in
      let held = found.rows.first { $0.id == state.id || $0.code == state.code || $0.status == state.status }
      guard let held, held != StateRow(state) else { return nil }
      return "state \(state.id) is \(held.code?.string ?? "NULL") for \(held.status?.string ?? "NULL"), "
        + "the definition says \(state.code) for \(state.status?.string ?? "NULL")"
    }
    guard differences.isEmpty else { throw .mapDiffers(what: differences) }
    let missing = derive.map.states.filter { state in !found.rows.contains(StateRow(state)) }
    let map = derive.map
    for state in missing {
      try ask(
        """
        INSERT INTO \(map.table.quoted) (\(map.id.quoted), \(map.code.quoted), \(map.status.quoted)) \
        VALUES ($1, $2, $3)
        """, "add state \(state.code)",
        [.text(state.id.string), .text(state.code.string), .optional(state.status?.string)])
    }
    return missing.count
  }

  private func addColumn() throws(MigrationError) -> Bool {
    do throws(PostgresError) {
      if try MapTable.columnType(derive.to, of: derive.table, on: connection) != nil { return false }
    } catch {
      throw .postgres(error)
    }
    guard try exists(derive.table) else {
      throw .notReady(
        what: "table \(derive.table) does not exist", hint: "name it in derive.table as schema.table")
    }
    let type: String?
    do { type = try MapTable.columnType(derive.map.id, of: derive.map.table, on: connection) } catch {
      throw .postgres(error)
    }
    // Nullable, no default: the catalog changes, no row is touched. The lock is the strongest, for a moment.
    try PatientDDL(connection: connection, interrupt: interrupt, logger: logger).run(
      "ALTER TABLE \(derive.table.quoted) ADD COLUMN \(derive.to.quoted) \(type ?? "bigint")",
      on: derive.table.quoted, purpose: "add column \(derive.to) to \(derive.table)")
    return true
  }

  private func exists(_ table: QualifiedName) throws(MigrationError) -> Bool {
    try ask("SELECT to_regclass($1) IS NOT NULL", "look up \(table)", [.text(table.quoted)]).boolean(0, 0)
  }

  @discardableResult
  private func ask(
    _ sql: String, _ purpose: String, _ parameters: [Parameter] = []
  ) throws(MigrationError) -> QueryResult {
    do { return try connection.query(sql, parameters, purpose: purpose) } catch { throw .postgres(error) }
  }
}
