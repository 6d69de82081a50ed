import Glibc
import LocalCluster
import Postgres
import Synchronization

/// An application in the middle of its own change: instances that write the old column, the new one, or both, and readers that
/// ask the flag. The truth is kept in a mirror, `public.truth`, by the same statements.
///
/// Each kind of writer has rows of its own: what two kinds write to one row within the stream's lag is the dual-write's to test.
final class CutoverTraffic: Sendable {
  enum Kind: Int, CaseIterable { case old, new, mixed, read }

  private let slot: String
  private let conninfo: String
  private let outlivesServer: Bool
  private let active = Mutex<Set<Kind>>([])
  private let failures = Mutex<[String]>([])
  private let counts = Mutex<[Kind: Int]>([:])
  private let ends = Atomic<Bool>(false)
  private let threads = Mutex<[Worker<Void>]>([])

  static let texts = LegacyStatus.allCases.map(\.text)

  /// - Parameters:
  ///   - rows: how many there are, from 1; row `n` is that of kind `n % 3`.
  ///   - outlivesServer: whether a session that is lost is opened again, and counts for no failure.
  init(_ ledger: LedgerSlot, rows: Int, outlivesServer: Bool = false) throws {
    self.outlivesServer = outlivesServer
    slot = ledger.name
    conninfo = ledger.cluster.conninfo(database: ledger.name)
    try ledger.sql(
      """
      CREATE TABLE public.truth AS SELECT id, array_position(ARRAY[\(Self.list)], status::text) AS state FROM public.transactions
      """)
    try ledger.sql("ALTER TABLE public.truth ADD PRIMARY KEY (id)")
    let workers = Kind.allCases.flatMap { kind in
      (0..<2).map { number in Worker { [self] in work(kind, number, rows: rows) } }
    }
    threads.withLock { $0 = workers }
  }

  deinit { ends.store(true, ordering: .releasing) }

  private static var list: String { texts.map(SQLText.literal).joined(separator: ", ") }

  /// Lets these kinds work, and no others; answers when the others have stopped.
  func allow(_ kinds: Set<Kind>) -> Bool {
    active.withLock { $0 = kinds }
    return eventually(within: .seconds(20)) { isQuiet(kinds) }
  }

  /// Ends it; what failed.
  func end() -> [String] {
    ends.store(true, ordering: .releasing)
    _ = eventually(within: .seconds(30)) { self.threads.withLock { $0.allSatisfy(\.isFinished) } }
    return failures.withLock { $0 }
  }

  var failed: [String] { failures.withLock { $0 } }
  func count(_ kind: Kind) -> Int { counts.withLock { $0[kind] ?? 0 } }

  private let working = Mutex<[Kind: Int]>([:])

  private func isQuiet(_ kinds: Set<Kind>) -> Bool {
    working.withLock { working in Kind.allCases.allSatisfy { kinds.contains($0) || (working[$0] ?? 0) == 0 } }
  }

  private func enter(_ kind: Kind) -> Bool {
    working.withLock { working in
      guard active.withLock({ $0.contains(kind) }) else { return false }
      working[kind, default: 0] += 1
      return true
    }
  }

  private func work(_ kind: Kind, _ number: Int, rows: Int) {
    do {
      var session = try connect(kind)
      var random = SystemRandomNumberGenerator()
      var turn = 0
      while !ends.load(ordering: .acquiring) {
        guard enter(kind) else {
          usleep(5_000)
          continue
        }
        turn += 1
        do {
          try step(session, kind, number, turn: turn, rows: rows, &random)
          counts.withLock { $0[kind, default: 0] += 1 }
        } catch  where outlivesServer && error.isConnectionGone {
          session = try again(kind)
        } catch {
          failures.withLock { $0.append("\(kind): \(error)") }
          _ = try? session.query("ROLLBACK", purpose: "roll back")
        }
        working.withLock { $0[kind, default: 1] -= 1 }
        usleep(2_000)
      }
    } catch {
      failures.withLock { $0.append("\(kind): \(error)") }
    }
  }

  private func connect(_ kind: Kind) throws(PostgresError) -> Connection {
    try Connection(conninfo, options: .init(applicationName: "application \(kind)"))
  }

  /// A session with the server that has come back.
  private func again(_ kind: Kind) throws(PostgresError) -> Connection {
    let end = ContinuousClock.now + .seconds(60)
    while true {
      do throws(PostgresError) { return try connect(kind) } catch {
        guard ContinuousClock.now < end else { throw error }
        usleep(20_000)
      }
    }
  }

  private func step(
    _ session: Connection, _ kind: Kind, _ number: Int, turn: Int, rows: Int,
    _ random: inout SystemRandomNumberGenerator
  ) throws(PostgresError) {
    let id =
      Int.random(in: 0..<max(1, rows / 3), using: &random) * 3 + (kind == .read ? turn % 3 : kind.rawValue)
    let state = Int.random(in: 1...Self.texts.count, using: &random)
    switch (kind, turn % 20) {
    case (.read, _):
      let new = try session.query(
        "SELECT crossfade.reads_new($1, $2)", [.text(slot), .text("\(id)")], purpose: "ask the flag"
      ).boolean(0, 0)
      try session.query(
        "SELECT \(new ? "state_id::text" : "status") FROM public.transactions WHERE id = $1", [.integer(id)],
        purpose: "read")
    case (_, 7):
      let fresh = 1_000_000 + (turn * 2 + number) * 3 + kind.rawValue
      try session.query(insert(kind, id: fresh, state: state), purpose: "insert")
      if turn % 40 == 7 { try session.query(delete(fresh), purpose: "delete") }
    case (_, 13):
      try session.query("BEGIN", purpose: "begin")
      try session.query(update(kind, id: id, state: state), purpose: "update")
      try session.query("SAVEPOINT one", purpose: "savepoint")
      try session.query(update(kind, id: id, state: state % 8 + 1), purpose: "update")
      if turn % 40 == 13 { try session.query("ROLLBACK TO one", purpose: "roll back") }
      try session.query("COMMIT", purpose: "commit")
    default: try session.query(update(kind, id: id, state: state), purpose: "update")
    }
  }

  private func update(_ kind: Kind, id: Int, state: Int) -> String {
    let text = SQLText.literal(Self.texts[state - 1])
    let set =
      switch kind {
      case .old: "status = \(text)"
      case .new: "state_id = \(state)"
      case .mixed, .read: "status = \(text), state_id = \(state)"
      }
    return """
      WITH t AS (UPDATE public.transactions SET \(set) WHERE id = \(id) RETURNING id)
      UPDATE public.truth SET state = \(state) FROM t WHERE truth.id = t.id
      """
  }

  private func insert(_ kind: Kind, id: Int, state: Int) -> String {
    let text = SQLText.literal(Self.texts[state - 1])
    let (columns, values) =
      switch kind {
      case .old: ("status", text)
      case .new: ("state_id", "\(state)")
      case .mixed, .read: ("status, state_id", "\(text), \(state)")
      }
    return """
      WITH t AS (INSERT INTO public.transactions (id, card_token, merchant_id, amount_cents, currency, \(columns))
                 VALUES (\(id), 'traffic', 1, 1, 'EUR', \(values)) RETURNING id)
      INSERT INTO public.truth SELECT id, \(state) FROM t
      """
  }

  private func delete(_ id: Int) -> String {
    "WITH t AS (DELETE FROM public.transactions WHERE id = \(id) RETURNING id) DELETE FROM public.truth USING t WHERE truth.id = t.id"
  }
}
