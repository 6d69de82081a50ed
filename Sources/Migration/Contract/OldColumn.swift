import Derivation
import Postgres

/// Where the old column is on its way out.
public enum OldColumn: String, Sendable, CaseIterable {
  /// It has its name. Until `contract.rename`.
  case stands
  /// It is renamed, and can still be had back. Until `contract.drop`.
  case retired
  /// It is dropped.
  case gone

  /// What the catalog says.
  static func ask(_ steps: MigrationSteps, on connection: Connection) throws(PostgresError) -> OldColumn {
    let derive = steps.derive
    let rows = try connection.query(
      "SELECT (\(CatalogProbe.column(derive.from, of: derive.table))), "
        + "(\(CatalogProbe.column(steps.retired, of: derive.table)))",
      purpose: "look where column \(derive.from) is")
    return rows.boolean(0, 0) ? .stands : rows.boolean(0, 1) ? .retired : .gone
  }
}
