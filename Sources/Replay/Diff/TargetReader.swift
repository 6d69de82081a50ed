public import ChangeLog
public import Derivation
import DualWrite
import PGOutput
public import Postgres

/// Looks rows up in the target, by arrays of keys, in a session that cannot write.
public final class TargetReader {
  private let connection: Connection
  private let definition: SlotDefinition
  private let keyColumns: Int
  /// Whether both columns are written, and each follows the other.
  let isBothWays: Bool

  /// Connects, and looks whether table and columns are there.
  public init(_ definition: SlotDefinition, interrupt: Interrupt) throws(ReplayError) {
    self.definition = definition
    let derive = definition.derive
    keyColumns = derive.key.count
    do throws(PostgresError) {
      connection = try Connection(
        definition.source.revealed,
        options: .init(
          applicationName: "crossfade replay \(definition.slot)",
          settings: [
            ("search_path", "pg_catalog"),
            ("statement_timeout", "\(definition.write.statementTimeout.count)"),
          ] + DerivationSQL.planSettings), interrupt: interrupt)
      try connection.makeReadOnly()
      isBothWays = try Direction.load(slot: definition.slot, on: connection).standing != .forward
      let types = try MapTable.keyTypes(derive, on: connection)
      var columns: [Identifier] = []
      for column in [derive.from, derive.to]
      where try MapTable.columnType(column, of: derive.table, on: connection) == nil {
        columns.append(column)
      }
      guard types.count == keyColumns, columns.isEmpty else {
        throw PostgresError.unexpected(purpose: "look", what: columns.map(\.name).joined(separator: ", "))
      }
      try connection.prepare("look", TargetSQL.look(derive, types), purpose: "prepare the look at the target")
    } catch {
      guard case .unexpected("look", let columns) = error else { throw .postgres(error) }
      throw .refused(
        what:
          "table \(derive.table) of the target lacks \(columns.isEmpty ? "a key column" : "column \(columns)")",
        hint: "`crossfade expand SLOT` makes the new column; `crossfade check SLOT` lists what is missing")
    }
  }

  /// The map as the target's table has it.
  public func map() throws(ReplayError) -> StateMap {
    do {
      return try MapTable.load(definition.derive.map, on: connection)
    } catch {
      throw .postgres(error)
    }
  }

  /// Refuses a target whose checkpoint is of another source than the log.
  public func requireSource(_ origin: OriginIdentity) throws(ReplayError) {
    guard let held = try checkpoint()?.origin, held.systemIdentifier != origin.systemIdentifier else {
      return
    }
    throw .refused(
      what:
        "the log is of system \(origin.systemIdentifier), the target's checkpoint of \(held.systemIdentifier)",
      hint: "name the target that belongs to this log, or the log that belongs to this target")
  }

  /// Up to where the dual-write has come; nil where it never began.
  func checkpoint() throws(ReplayError) -> Checkpoint? {
    do {
      return try Checkpoint.load(slot: definition.slot, on: connection)
    } catch {
      throw .postgres(error)
    }
  }

  /// How far the target's WAL reaches: everything that could be seen until now was committed before.
  func position() throws(ReplayError) -> LSN {
    do {
      let rows = try connection.query(TargetSQL.position, purpose: "read the WAL position")
      return rows[0, 0].flatMap { LSN($0) } ?? LSN(rawValue: .max)
    } catch {
      throw .postgres(error)
    }
  }

  /// The rows of the keys, as one snapshot sees them. Of a key with a transaction it is told whether that is seen, too.
  func look(_ keys: [(key: RowKey, xid: TransactionID?)]) throws(ReplayError) -> [TargetLook] {
    var xids = ArrayLiteral(capacity: keys.count * 11 + 8)
    for (_, xid) in keys {
      if let xid { xids.append(Array("\(xid.rawValue)".utf8)) } else { xids.appendNull() }
    }
    let parameters = [.terminatedText(xids.finish())] + Self.arrays(keys.map(\.key), columns: keyColumns)
    var looks = keys.map { _ in TargetLook(row: nil, isSettled: true) }
    let purpose = "look rows up in the target"
    do throws(PostgresError) {
      try connection.startPipeline([PipelineStatement("look", parameters)], purpose: purpose)
      guard let rows = try connection.finishPipeline(purpose: purpose).first else { return looks }
      for row in 0..<rows.rowCount {
        guard let number = rows.integer(row, 0), looks.indices.contains(Int(number) - 1) else { continue }
        var held: HeldRow?
        if rows.boolean(row, 1) {
          let isNull = rows.boolean(row, 2)
          held = HeldRow(
            status: isNull ? nil : rows[row, 3].map { ExactText($0) },
            mapped: rows[row, 4].map { ExactText($0) },
            to: rows[row, 5].map { ExactText($0) })
        }
        looks[Int(number) - 1] = TargetLook(row: held, isSettled: rows.boolean(row, 6))
      }
    } catch {
      throw .postgres(error)
    }
    return looks
  }

  /// One array for each key column.
  static func arrays(_ keys: [RowKey], columns: Int) -> [Parameter] {
    (0..<columns).map { column in
      var array = ArrayLiteral(capacity: keys.count * 12 + 8)
      for key in keys where column < key.columns.count { array.append(key.columns[column].bytes) }
      return .terminatedText(array.finish())
    }
  }
}
