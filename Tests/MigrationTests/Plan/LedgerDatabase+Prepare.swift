import Postgres

extension LedgerDatabase {
  /// Runs statements that name what is in schema public without its schema.
  func prepare(_ sql: String) throws {
    let connection = try connect()
    try connection.query("SET search_path = public", purpose: "prepare the test")
    try connection.script(sql, purpose: "prepare the test")
  }
}
