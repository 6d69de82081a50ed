import LocalCluster
import Logging
import Postgres
import Synchronization
import Testing

@testable import Migration

/// A backfill on a thread of its own, watched. Dropping it stops it.
final class RunningBackfill: Sendable {
  private let interrupt: Interrupt
  private let worker: Worker<Result<BackfillProgress, MigrationError>>
  private let statuses = Mutex<[BackfillStatus]>([])
  let backfill: Backfill

  init(_ ledger: LedgerDatabase) throws {
    let interrupt = try #require(Interrupt())
    let backfill = Backfill(
      definition: ledger.definition, interrupt: interrupt, logger: LedgerDatabase.logger)
    self.interrupt = interrupt
    self.backfill = backfill
    let box = Box()
    worker = Worker {
      do throws(MigrationError) {
        return .success(try backfill.run { status in box.owner.withLock { $0.value?.note(status) } })
      } catch {
        return .failure(error)
      }
    }
    box.owner.withLock { $0.value = self }
  }

  deinit { interrupt.stop() }

  private struct Weak: Sendable { weak var value: RunningBackfill? }
  private final class Box: Sendable { let owner = Mutex(Weak()) }

  private func note(_ status: BackfillStatus) {
    statuses.withLock { seen in
      if seen.last?.state != status.state || seen.last?.progress != status.progress { seen.append(status) }
    }
  }

  /// What it said so far, each once.
  var seen: [BackfillStatus] { statuses.withLock { $0 } }
  var last: BackfillStatus? { statuses.withLock { $0.last } }

  /// Waits until it says so.
  func await(
    within limit: Duration = .seconds(30), _ what: (BackfillStatus) -> Bool
  ) throws {
    let came = try eventually(within: limit) { () throws in
      if case .failure(let error)? = worker.result { throw error }
      return last.map(what) ?? false
    }
    try #require(came, "\(last.map { "\($0.state) \($0.progress.account)" } ?? "nothing")")
  }

  /// Waits until all is done.
  func finish(within limit: Duration = .seconds(60)) throws -> BackfillProgress {
    let ended = eventually(within: limit) { worker.isFinished }
    try #require(ended, "\(last.map { "\($0.state) \($0.progress.account)" } ?? "nothing")")
    return try #require(worker.result).get()
  }

  /// Stops it between two commits.
  func stop() throws {
    interrupt.stop()
    let ended = eventually(within: .seconds(30)) { worker.isFinished }
    try #require(ended)
  }
}
