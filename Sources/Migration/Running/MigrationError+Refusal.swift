import Postgres

extension MigrationError {
  /// An error of a step's statement. What the schema or the rows are the reason of is a refusal, with what to do about it.
  static func refusal(_ error: PostgresError) -> MigrationError {
    guard case .server(let cause) = error else { return .postgres(error) }
    let hint: String
    switch cause.sqlState.rawValue {
    case "2BP01":
      hint = "drop or change what depends on it, then run this again; nothing is ever dropped with CASCADE"
    case "23503", "23514", "23502":
      hint = "`crossfade verify SLOT` shows the rows; mend them, then run this again"
    case "42P07", "42710":
      hint = "something else has that name; rename it, then run this again"
    default: return .postgres(error)
    }
    return .notReady(what: error.description, hint: hint)
  }
}
