import Postgres

extension Step {
  /// Whether its effect stands; no where what the probe asks about is not there.
  func stands(on connection: Connection) throws(PostgresError) -> Bool {
    guard let probe else { return false }
    do throws(PostgresError) {
      return try connection.query(probe, purpose: "look whether there is need to \(title)").boolean(0, 0)
    } catch {
      switch error.sqlState {
      case .undefinedTable?, .undefinedSchema?, SQLState(rawValue: "42703")?: return false
      default: throw error
      }
    }
  }
}
