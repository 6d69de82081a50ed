import Derivation
import DualWrite
import Postgres

extension MapTextFacts {
  /// Tries each text of the map, in transactions that can write nothing; nil when there is no old column.
  ///
  /// - Parameter gone: a CHECK that the cutover takes away.
  static func ask(
    _ definition: SlotDefinition, map: StateMap, without gone: String?, _ connection: Connection
  ) throws(PostgresError) -> MapTextFacts? {
    let derive = definition.derive
    guard let column = try Column.ask(derive, connection) else { return nil }
    let checks = try Check.ask(derive, connection).filter { $0.name != gone }
    var facts = MapTextFacts(
      type: column.type, tried: map.rows.count, open: checks.filter { !$0.isAlone }.map(\.name))
    let alone = checks.filter(\.isAlone)
    for row in map.rows {
      var reason = column.stays(definition, for: row.status)
      if reason == nil { reason = try column.refuses(row.status, alone, derive, connection) }
      guard let reason else { continue }
      facts.misfits.append(
        Misfit(
          state: "\(row.code?.string ?? "without a code") (\(row.id?.string ?? "NULL"))",
          text: row.status?.string,
          reason: reason))
    }
    return facts
  }

  /// What the catalogs say of the old column.
  private struct Column {
    var type: String
    var collation: String?
    var isEnum: Bool
    var isRequired: Bool
    var hasDefault: Bool
    /// NOT NULL in the table or any partition.
    var isRequiredBelow: Bool

    static func ask(
      _ derive: SlotDefinition.Derive, _ connection: Connection
    ) throws(PostgresError) -> Column? {
      let rows = try connection.query(
        """
        SELECT format_type(a.atttypid, a.atttypmod),
               CASE WHEN a.attcollation NOT IN (0, t.typcollation) THEN format('%I.%I', n.nspname, c.collname) END,
               t.typtype = 'e', a.attnotnull, a.atthasdef OR a.attidentity <> '',
               (SELECT bool_or(b.attnotnull) FROM pg_attribute AS b
                 WHERE b.attname = a.attname AND NOT b.attisdropped
                   AND (b.attrelid = a.attrelid OR b.attrelid IN (SELECT relid FROM pg_partition_tree(a.attrelid))))
          FROM pg_attribute AS a JOIN pg_type AS t ON t.oid = a.atttypid
          LEFT JOIN pg_collation AS c ON c.oid = a.attcollation LEFT JOIN pg_namespace AS n ON n.oid = c.collnamespace
         WHERE a.attrelid = to_regclass($1) AND a.attname = $2 AND NOT a.attisdropped
        """, [.text(derive.table.quoted), .text(derive.from.name)], purpose: "look up column \(derive.from)")
      guard rows.rowCount == 1, let type = rows[0, 0] else { return nil }
      return Column(
        type: type, collation: rows[0, 1], isEnum: rows.boolean(0, 2), isRequired: rows.boolean(0, 3),
        hasDefault: rows.boolean(0, 4), isRequiredBelow: rows.boolean(0, 5))
    }

    /// Why NULL cannot be written even after the cutover, which takes a NOT NULL away only where nothing fills the column in
    /// (`MigrationSteps.nullable`).
    func stays(_ definition: SlotDefinition, for status: ExactText?) -> Reason? {
      guard status == nil, isRequiredBelow else { return nil }
      guard isRequired else { return .required(.partition) }
      if definition.migrate.bridge != .none { return .required(.bridge) }
      return hasDefault ? .required(.hasDefault) : nil
    }

    /// Why it does not hold this text; nil when it does. The cast is an explicit one, which cuts off what an assignment would
    /// refuse, so what comes out is compared.
    func refuses(
      _ status: ExactText?, _ checks: [Check], _ derive: SlotDefinition.Derive, _ connection: Connection
    ) throws(PostgresError) -> Reason? {
      let purpose = "try a text of the map"
      let asked = (["t.\(derive.from.quoted)::text"] + checks.map { "(\($0.expression))" })
        .joined(separator: ", ")
      let value = "$1::text::\(type)" + (collation.map { " COLLATE \($0)" } ?? "")
      do throws(PostgresError) {
        let found = try connection.transaction("BEGIN READ ONLY", purpose: purpose) {
          () throws(PostgresError) in
          try connection.query(
            "SELECT \(asked) FROM (SELECT \(value) AS \(derive.from.quoted)) AS t",
            [.optional(status?.string)], purpose: purpose)
        }
        let back = found[0, 0].map { ExactText($0) }
        guard back == status else { return Self.isCut(status, back) ? .cut : .changed(to: back?.string) }
        // NULL passes a CHECK.
        let broken = checks.indices.first { found[0, $0 + 1] != nil && !found.boolean(0, $0 + 1) }
        return broken.map {
          .check(checks[$0].name, table: checks[$0].table, says: checks[$0].expression)
        }
      } catch {
        guard case .server(let cause) = error, !error.isConnectionGone, cause.sqlState != .queryCanceled
        else {
          throw error
        }
        return isEnum && cause.sqlState.rawValue == "22P02" ? .label(type: type) : .refused(cause.message)
      }
    }

    private static func isCut(_ text: ExactText?, _ back: ExactText?) -> Bool {
      guard let text, let back else { return false }
      return text.bytes.starts(with: back.bytes)
    }
  }

  /// A CHECK that names the old column, of the table or of a partition.
  private struct Check {
    var name: String
    var table: String
    var expression: String
    /// Whether it names no other column.
    var isAlone: Bool

    static func ask(
      _ derive: SlotDefinition.Derive, _ connection: Connection
    ) throws(PostgresError) -> [Check] {
      // One that is not enforced (18) refuses nothing.
      let enforced = connection.serverVersion.major >= 18 ? "AND k.conenforced" : ""
      let rows = try connection.query(
        """
        SELECT k.conname, k.conrelid::regclass::text, pg_get_expr(k.conbin, k.conrelid), cardinality(k.conkey) = 1
          FROM pg_constraint AS k
          JOIN pg_attribute AS a ON a.attrelid = k.conrelid AND a.attname = $2 AND NOT a.attisdropped
         WHERE k.contype = 'c' AND a.attnum = ANY (k.conkey) \(enforced)
           AND (k.conrelid = to_regclass($1)
             OR k.coninhcount = 0 AND k.conrelid IN (SELECT relid FROM pg_partition_tree(to_regclass($1))))
         ORDER BY k.conrelid <> to_regclass($1), 2, 1
        """, [.text(derive.table.quoted), .text(derive.from.name)],
        purpose: "look up the CHECKs of \(derive.table)")
      return (0..<rows.rowCount).compactMap { row in
        guard let name = rows[row, 0], let table = rows[row, 1], let expression = rows[row, 2] else {
          return nil
        }
        return Check(name: name, table: table, expression: expression, isAlone: rows.boolean(row, 3))
      }
    }
  }
}
