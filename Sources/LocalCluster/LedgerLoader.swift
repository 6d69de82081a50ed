public import Postgres
import Synchronization

/// Fills a ledger with history: the same rows for the same seed and number.
///
/// Transactions are spread evenly over ninety days before now; young ones are authorized or captured, old ones mostly
/// settled, and each status occurs about as often as with a card issuer.
public struct LedgerLoader: Sendable {
  /// How many transactions.
  public var rows: Int
  /// What the history is drawn from.
  public var seed: Int
  /// Rows a database transaction.
  public var chunk = 50_000
  /// Sessions that load at the same time.
  public var sessions = 2

  /// A load of `rows` transactions.
  public init(rows: Int, seed: Int = 1) {
    self.rows = rows
    self.seed = seed
  }

  /// Creates the schema in an empty database and loads it.
  ///
  /// - Parameters:
  ///   - conninfo: the database.
  ///   - interrupt: ends the load, with an error, when it is stopped.
  ///   - progress: called after each chunk with the rows loaded so far, by the thread that loaded it.
  public func createAndLoad(
    conninfo: String, interrupt: Interrupt? = nil, progress: @escaping @Sendable (Int) -> Void = { _ in }
  ) throws(PostgresError) {
    let connection = try Self.connect(conninfo, interrupt)
    try connection.script(LedgerSchema.sql, purpose: "create the ledger")
    guard rows > 0 else { return }
    // Keys are checked and indexed at once in the end, in half the time that one after the other takes.
    try connection.script(
      """
      ALTER TABLE public.transactions DROP CONSTRAINT transactions_pkey;
      ALTER TABLE public.ledger_audit DROP CONSTRAINT ledger_audit_pkey
      """, purpose: "prepare the load")
    try loadChunks(conninfo, interrupt, progress)
    try connection.script(
      """
      SET maintenance_work_mem = '128MB';
      ALTER TABLE public.transactions ADD PRIMARY KEY (id);
      ALTER TABLE public.ledger_audit ADD PRIMARY KEY (seq);
      SELECT setval(pg_get_serial_sequence('public.transactions', 'id'), \(rows)),
        setval(pg_get_serial_sequence('public.ledger_audit', 'seq'), \(rows))
      """, purpose: "index the ledger")
    // Statistics, hint bits and the visibility map: what a ledger of ninety days has, and a fresh load has not.
    try connection.query("VACUUM (ANALYZE) public.transactions", purpose: "vacuum the ledger")
  }

  private func loadChunks(
    _ conninfo: String, _ interrupt: Interrupt?, _ progress: @escaping @Sendable (Int) -> Void
  ) throws(PostgresError) {
    let state = ChunkQueue(rows: rows, chunk: max(1, chunk))
    let workers = (0..<max(1, sessions)).map { _ in
      Worker<Void> {
        do throws(PostgresError) {
          let connection = try Self.connect(conninfo, interrupt)
          while let range = state.take() {
            try connection.script(
              LedgerHistory.chunkSQL(range, of: rows, seed: seed), purpose: "load the ledger")
            progress(state.finish(range))
          }
        } catch {
          state.fail(error)
        }
      }
    }
    // A session that hangs is the server's matter; a day is no limit but an end.
    _ = eventually(within: .seconds(86_400)) { workers.allSatisfy { $0.isFinished } }
    if let failure = state.failure { throw failure }
  }

  private static func connect(
    _ conninfo: String, _ interrupt: Interrupt?
  ) throws(PostgresError) -> Connection {
    try Connection(
      conninfo,
      options: .init(
        applicationName: "ledger load",
        settings: [(name: "synchronous_commit", value: "off"), (name: "work_mem", value: "32MB")]),
      interrupt: interrupt)
  }
}

/// Hands out ranges of ids to loading sessions, and keeps the first failure.
private final class ChunkQueue: Sendable {
  private struct State {
    var next = 1
    var loaded = 0
    var failure: PostgresError?
  }

  private let rows: Int
  private let chunk: Int
  private let state = Mutex(State())

  init(rows: Int, chunk: Int) {
    self.rows = rows
    self.chunk = chunk
  }

  func take() -> ClosedRange<Int>? {
    state.withLock { state in
      guard state.next <= rows, state.failure == nil else { return nil }
      let range = state.next...min(rows, state.next + chunk - 1)
      state.next = range.upperBound + 1
      return range
    }
  }

  func finish(_ range: ClosedRange<Int>) -> Int {
    state.withLock { state in
      state.loaded += range.count
      return state.loaded
    }
  }

  func fail(_ error: PostgresError) { state.withLock { $0.failure = $0.failure ?? error } }

  var failure: PostgresError? { state.withLock { $0.failure } }
}
