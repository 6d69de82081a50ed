import Postgres

/// The findings gathered so far; a question that the server refuses to answer becomes one.
struct Questions {
  private(set) var findings: [Finding] = []

  mutating func ask<Value>(
    _ subject: String, _ body: () throws(PostgresError) -> Value
  ) throws(PostgresError) -> Value? {
    do {
      return try body()
    } catch {
      guard case .server(let cause) = error, !error.isConnectionGone else { throw error }
      findings.append(
        .fail(
          subject, "\(error)",
          fix: cause.hint ?? "grant the role of source.connection what it needs to look, then check again"))
      return nil
    }
  }

  mutating func note(_ more: [Finding]?) { findings += more ?? [] }
  mutating func note(_ one: Finding?) { if let one { findings.append(one) } }
}
