import Derivation
import LocalCluster
import PGOutput
import Postgres

@testable import Migration

extension LedgerDatabase {
  /// A verification to whom everything asked for is applied at once, unless `applied` says otherwise.
  func verify(
    _ interrupt: Interrupt, _ change: (inout VerifyOptions) -> Void = { _ in },
    applied: @escaping (LSN) throws(PostgresError) -> LSN = Self.allApplied
  ) -> Verify {
    var options = VerifyOptions()
    change(&options)
    return Verify(
      definition: definition, options: options, interrupt: interrupt, logger: Self.logger
    ) { (_, enough) throws(PostgresError) in try applied(enough) }
  }

  /// What would be enough; for one who asks for nothing, or for all there is, a position all the same.
  static func allApplied(_ enough: LSN) -> LSN {
    enough.isValid && enough.rawValue != .max ? enough : LSN(rawValue: 1 << 40)
  }

  func fix(_ sql: String) throws(PostgresError) {
    let session = try Connection(
      cluster.conninfo(database: name), options: .init(applicationName: "migration test"))
    try session.script(sql, purpose: "fix a row")
  }
}
