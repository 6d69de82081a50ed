import LocalCluster
import Postgres
import Synchronization

/// Transactions too large to be sent when they commit only, in two sessions side by side: whole ones, some with rolled
/// back savepoints, some rolled back altogether, some prepared and settled later. Rows of their own, audited like the
/// workload's.
///
/// An audit entry's `xmin` must be the top transaction's number, so what stays is never written inside a savepoint.
final class BulkTraffic: Sendable {
  /// What a bulk transaction can be.
  enum Kind: String, CaseIterable, Sendable {
    case whole
    case savepoints
    case rolledBack
    case prepared
    case preparedRolledBack
  }

  private let conninfo: String
  private let kinds: [Kind]
  private let stopped = Mutex(false)
  private let workers = Mutex<[Worker<Result<[Kind: Int], PostgresError>>]>([])

  init(conninfo: String, kinds: [Kind] = Kind.allCases) {
    self.conninfo = conninfo
    self.kinds = kinds
  }

  func start(seed: UInt64, sessions: Int = 2) {
    for number in 0..<sessions {
      let worker = Worker { [self] in
        Result { () throws(PostgresError) in try write(seed: seed &+ UInt64(number), session: number) }
      }
      workers.withLock { $0.append(worker) }
    }
  }

  /// Ends the traffic; how many there were of each kind.
  func stop() async throws -> [Kind: Int] {
    stopped.withLock { $0 = true }
    var counts: [Kind: Int] = [:]
    for worker in workers.withLock({ $0 }) {
      counts.merge(try await worker.value.get()) { $0 + $1 }
    }
    return counts
  }

  private func write(seed: UInt64, session number: Int) throws(PostgresError) -> [Kind: Int] {
    var generator = SeededGenerator(seed: seed)
    let session = try Connection(conninfo, options: .init(applicationName: "bulk \(number)"))
    var counts: [Kind: Int] = [:]
    var round = 0
    while !stopped.withLock({ $0 }) {
      guard let kind = kinds.randomElement(using: &generator) else { break }
      try carryOut(kind, "bulk-\(number)-\(round)", on: session, &generator)
      counts[kind, default: 0] += 1
      round += 1
    }
    return counts
  }

  private func carryOut(
    _ kind: Kind, _ token: String, on session: Connection, _ generator: inout SeededGenerator
  ) throws(PostgresError) {
    let rows = Int.random(in: 200...3000, using: &generator)
    try session.query("BEGIN", purpose: "begin")
    try session.query(Self.insert(token, rows), purpose: "insert many")
    if kind == .savepoints {
      for nested in 0..<Int.random(in: 1...3, using: &generator) {
        try session.script("SAVEPOINT a", purpose: "set a savepoint")
        try session.query(Self.move(token, "DECLINED"), purpose: "change many")
        if nested > 0 {
          try session.script("SAVEPOINT b", purpose: "set a savepoint")
          try session.query(Self.insert(token + "-lost", rows), purpose: "insert many")
        }
        try session.script("ROLLBACK TO a; RELEASE a", purpose: "roll back to a savepoint")
      }
    }
    try session.query(Self.move(token, "CAPTURED"), purpose: "change many")
    switch kind {
    case .whole, .savepoints: try session.query("COMMIT", purpose: "commit")
    case .rolledBack: try session.query("ROLLBACK", purpose: "roll back")
    case .prepared, .preparedRolledBack:
      try session.query("PREPARE TRANSACTION '\(token)'", purpose: "prepare")
      // Others commit meanwhile, and Crossfade dies and comes back.
      try session.query(
        "SELECT pg_sleep(\(Double.random(in: 0...1.5, using: &generator)))", purpose: "let time pass")
      let end = kind == .prepared ? "COMMIT" : "ROLLBACK"
      try session.query("\(end) PREPARED '\(token)'", purpose: "settle")
    }
  }

  private static func insert(_ token: String, _ rows: Int) -> String {
    """
    WITH changed AS (
      INSERT INTO public.transactions (card_token, merchant_id, amount_cents, currency)
      SELECT '\(token)', g, g, 'EUR' FROM generate_series(1, \(rows)) AS g RETURNING id, status)
    INSERT INTO public.ledger_audit (transaction_id, status, op)
    SELECT id, status, 'insert' FROM changed
    """
  }

  private static func move(_ token: String, _ status: String) -> String {
    """
    WITH changed AS (
      UPDATE public.transactions SET status = '\(status)' WHERE card_token = '\(token)' RETURNING id, status)
    INSERT INTO public.ledger_audit (transaction_id, status, op)
    SELECT id, status, 'move' FROM changed
    """
  }
}
