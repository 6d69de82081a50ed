import LocalCluster
import Postgres

/// Large transactions of old and new writers, with the mirror of `BothWriters`: some whole, some with savepoints that are
/// rolled back, some rolled back, some prepared and settled later. Each session has rows of its own, so that nobody waits for
/// one that is prepared.
final class BothBulk: Sendable {
  typealias Kind = BulkTraffic.Kind

  private let workers: [Worker<Result<[Kind: Int], PostgresError>>]
  private let interrupt: Interrupt

  init(_ sessions: Int, conninfo: String, seed: UInt64) throws {
    guard let interrupt = Interrupt() else {
      throw PostgresError.unexpected(purpose: "start the bulk", what: "no pipe")
    }
    self.interrupt = interrupt
    workers = (0..<sessions).map { session in
      Worker {
        Result { () throws(PostgresError) in
          try Self.write(session, conninfo, seed &+ UInt64(session), interrupt)
        }
      }
    }
  }

  /// Ends it; how many there were of each kind.
  func stop() async throws -> [Kind: Int] {
    interrupt.stop()
    var counts: [Kind: Int] = [:]
    for worker in workers { counts.merge(try await worker.value.get()) { $0 + $1 } }
    return counts
  }

  private static func write(
    _ session: Int, _ conninfo: String, _ seed: UInt64, _ interrupt: Interrupt
  ) throws(PostgresError) -> [Kind: Int] {
    var generator = SeededGenerator(seed: seed)
    let connection = try Connection(conninfo, options: .init(applicationName: "bulk \(session)"))
    var counts: [Kind: Int] = [:]
    var round = 0
    while !interrupt.isStopped {
      let kind = Kind.allCases[round % Kind.allCases.count]
      try carryOut(kind, session, round, on: connection, &generator, interrupt)
      counts[kind, default: 0] += 1
      round += 1
    }
    return counts
  }

  private static func carryOut(
    _ kind: Kind, _ session: Int, _ round: Int, on connection: Connection,
    _ generator: inout SeededGenerator, _ interrupt: Interrupt
  ) throws(PostgresError) {
    let rows = Int.random(in: 200...600, using: &generator)
    let first = 1_000_000 * (session + 1)
    /// An act on each row of a span; more than one transaction may have made it.
    func act(_ what: String, _ offset: Int) -> String {
      "SELECT count(public.act('\(what)', \(first) + i, 1 + (i + \(round + offset)) % 8, false)) "
        + "FROM generate_series(1, \(rows)) AS i"
    }
    try connection.query("BEGIN", purpose: "begin")
    try connection.query(
      act(round.isMultiple(of: 2) ? "insert-old" : "insert-new", 0), purpose: "insert many")
    if kind == .savepoints {
      try connection.script("SAVEPOINT a", purpose: "set a savepoint")
      try connection.query(act("old", 5), purpose: "change many")
      try connection.script("ROLLBACK TO a; RELEASE a; SAVEPOINT b", purpose: "roll back")
      try connection.query(act("new", 1), purpose: "change many in a subtransaction")
      try connection.script("RELEASE b", purpose: "keep it")
    }
    try connection.query(act("old", 2), purpose: "change the old column of many")
    try connection.query(act("new", 3), purpose: "change the new column of many")
    switch kind {
    case .whole, .savepoints: try connection.query("COMMIT", purpose: "commit")
    case .rolledBack: try connection.query("ROLLBACK", purpose: "roll back")
    case .prepared, .preparedRolledBack:
      let gid = "bulk-\(session)-\(round)"
      try connection.query("PREPARE TRANSACTION '\(gid)'", purpose: "prepare")
      // Others commit meanwhile, and Crossfade dies and comes back.
      interrupt.wait(milliseconds: Int.random(in: 0...800, using: &generator))
      try connection.query(
        "\(kind == .prepared ? "COMMIT" : "ROLLBACK") PREPARED '\(gid)'", purpose: "settle")
    }
  }
}
