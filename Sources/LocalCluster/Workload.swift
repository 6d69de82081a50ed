import Postgres
import Synchronization

/// Application traffic on a ledger: new authorizations and legal status moves by several sessions, while the truth is
/// kept in `ledger_audit` within the same transactions. `Oracle` compares the two in the end.
public final class Workload: Sendable {
  /// What it is like.
  public let plan: WorkloadPlan
  private let conninfo: String
  private let gate = WorkloadGate()
  private let cells: [TallyCell]
  private let threads = Mutex<[Worker<Void>]>([])

  /// Traffic that has not begun yet, on the database of this connection string.
  public init(conninfo: String, plan: WorkloadPlan = WorkloadPlan()) {
    self.conninfo = conninfo
    self.plan = plan
    cells = (0..<max(1, plan.writers)).map { _ in TallyCell() }
  }

  deinit { gate.close() }

  /// Begins. Once; later calls do nothing.
  public func start() {
    // Not from the seed: two runs on one ledger must not share names.
    let run = String(UInt32.random(in: 0...UInt32.max), radix: 36)
    threads.withLock { threads in
      guard threads.isEmpty else { return }
      threads = cells.enumerated().map { number, cell in
        let writer = LedgerWriter(
          conninfo: conninfo, plan: plan, number: number, run: run, gate: gate, tally: cell)
        return Worker { writer.work() }
      }
    }
  }

  /// What was done so far, by all writers. Take two and `LatencyHistogram.since(_:)` for what lies between.
  public func tally() -> WorkloadTally {
    cells.reduce(into: WorkloadTally()) { $0.add($1.read()) }
  }

  /// Whether a writer is still at work; false before the start, after the end, and when every session was lost.
  public var isRunning: Bool { threads.withLock { $0.contains { !$0.isFinished } } }

  /// Holds the traffic: when this answers true, no transaction is under way and none begins until `resume()`.
  /// False when one is still under way after `limit`; the others are held all the same.
  public func pause(within limit: Duration = .seconds(60)) -> Bool { gate.pause(within: limit) }

  /// Goes on after `pause()`. What was due meanwhile is not made up for.
  public func resume() { gate.resume() }

  /// Ends the traffic after the transactions under way, and answers with all that was done. A writer that has lost its
  /// session first learns the fate of its last transaction, for `WorkloadPlan.reconnectLimit` at most.
  public func stop() -> WorkloadTally {
    gate.close()
    let threads = threads.withLock { $0 }
    // Each wait of a writer has its own limit, so this ends; an hour is beyond the sum of all.
    _ = eventually(within: .seconds(3600)) { threads.allSatisfy { $0.isFinished } }
    return tally()
  }
}
