import LocalCluster
import PGOutput
import Postgres
import Synchronization

/// A writer that puts what it means into `public.mirror` in the same transaction: the oracle. The ledger's row comes first, so
/// its lock orders the writers of a row, and the mirror says what was written last.
final class MirroredTraffic: Sendable {
  /// How a writer writes.
  enum Way: Sendable {
    /// The new column alone, and nothing else of the two is named.
    case new
    /// The old one alone.
    case old
  }

  private final class Tally: Sendable {
    let done = Mutex(0)
    let failed = Mutex<[String]>([])
  }

  private let stop = Flag()
  private let tally = Tally()
  private let worker: Worker<Void>

  static let mirror = "CREATE TABLE public.mirror (id bigint PRIMARY KEY, state_id bigint NOT NULL)"

  /// What differs from the mirror, in either column.
  static let differences = """
    SELECT t.id FROM public.transactions AS t JOIN public.mirror AS r USING (id) JOIN public.transaction_state AS m ON m.id = r.state_id
     WHERE t.state_id IS DISTINCT FROM r.state_id OR t.status IS DISTINCT FROM m.legacy_status ORDER BY 1 LIMIT 10
    """

  init(_ ledger: LedgerDatabase, _ way: Way, seed: UInt64) throws {
    let box = Handed(try ledger.connect("\(way) writer"))
    let (stop, tally) = (stop, tally)
    worker = Worker {
      var random = SeededGenerator(seed: seed)
      var next = 100_000 + Int(seed) * 100_000
      while !stop.isUp {
        let state = Int.random(in: 1...2, using: &random)
        let text = state == 1 ? "AUTH" : "CAPTURED"
        var sql: String
        if Int.random(in: 0..<4, using: &random) == 0 {
          next += 1
          let (column, value) = way == .new ? ("state_id", "\(state)") : ("status", "'\(text)'")
          sql =
            "INSERT INTO public.transactions (id, \(column)) VALUES (\(next), \(value));"
            + "INSERT INTO public.mirror VALUES (\(next), \(state))"
        } else {
          let id = Int.random(in: 1...1_000, using: &random)
          let set = way == .new ? "state_id = \(state)" : "status = '\(text)'"
          sql =
            "UPDATE public.transactions SET \(set) WHERE id = \(id);"
            + "INSERT INTO public.mirror VALUES (\(id), \(state)) ON CONFLICT (id) DO UPDATE SET state_id = EXCLUDED.state_id"
        }
        do {
          try box.connection.script("BEGIN; \(sql); COMMIT", purpose: "write")
          tally.done.withLock { $0 += 1 }
        } catch {
          _ = try? box.connection.script("ROLLBACK", purpose: "write")
          tally.failed.withLock { if $0.count < 1_000 { $0.append("\(error)") } }
        }
      }
    }
  }

  /// Transactions that were committed.
  var done: Int { tally.done.withLock { $0 } }
  /// Errors of those that were not.
  var failed: [String] { tally.failed.withLock { $0 } }

  /// Tells it to end; its transaction of now may still be on its way.
  func halt() { stop.raise() }

  /// Ends it.
  func end() async {
    stop.raise()
    await worker.value
  }

  deinit { stop.raise() }
}

/// Hands a session to the thread that is its own from then on.
struct Handed: @unchecked Sendable {
  let connection: Connection
  init(_ connection: Connection) { self.connection = connection }
}
