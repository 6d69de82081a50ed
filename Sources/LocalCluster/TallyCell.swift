import Synchronization

/// One writer's tally, read by others while it grows.
final class TallyCell: Sendable {
  private let tally = Mutex(WorkloadTally())

  func update(_ change: (inout WorkloadTally) -> Void) { tally.withLock { change(&$0) } }

  func read() -> WorkloadTally { tally.withLock { $0 } }
}
