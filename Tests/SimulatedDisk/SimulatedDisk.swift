// A disk for tests: every change to it is known, can be made to fail, and may be lost when the power is.

import Glibc
import Synchronization

/// A directory on a disk whose every change is known: calls are carried out for real, noted in a journal, and made to
/// fail when wanted. From the journal follows what a power failure at any moment may have left.
///
/// Used by one thread at a time.
package final class SimulatedDisk: Sendable {
  struct State {
    var live: DiskState
    var journal: [DiskEvent] = []
    var descriptors: [Int32: NodeID] = [:]
    var calls = 0
    var faults: [Int: DiskFault] = [:]
    var isDead = false
    var momentOfFault: Int?
    var failedCall: String?

    mutating func note(_ event: DiskEvent) {
      live.apply(event)
      journal.append(event)
    }
  }

  private let scratch: ScratchDirectory
  private let start: DiskState
  let state: Mutex<State>

  /// The real directory. Its own name is not on the disk: it cannot be lost.
  package var path: String { scratch.path }

  /// A disk that holds `contents`, all of it stored.
  package init(_ contents: RealTree = .directory([:])) throws {
    scratch = try ScratchDirectory()
    try contents.put(at: scratch.path)
    start = try DiskState(of: scratch.path)
    state = Mutex(State(live: start))
  }

  /// Notes that somebody was told that so much is durable.
  package func claim(_ value: UInt64) { state.withLock { $0.note(.claim(value)) } }

  /// The disk at each moment: as it began, and after each thing that happened.
  package func forEachMoment(_ body: (Int, DiskState) throws -> Void) rethrows {
    var disk = start
    try body(0, disk)
    for (number, event) in state.withLock({ $0.journal }).enumerated() {
      disk.apply(event)
      try body(number + 1, disk)
    }
  }

  /// Calls so far that can be made to fail.
  package var callCount: Int { state.withLock { $0.calls } }
  /// How many things have happened so far.
  package var momentCount: Int { state.withLock { $0.journal.count } }
  /// What had happened when the first call failed.
  package var momentOfFault: Int? { state.withLock { $0.momentOfFault } }
  /// Whether what a fault has left may show at this moment: soon after it, or at the end.
  package func isWorthJudging(_ moment: Int, after fault: Int?) -> Bool {
    guard let fault else { return true }
    return (fault..<(fault + 8)).contains(moment) || moment == momentCount
  }

  /// Which call that was.
  package var failedCall: String? { state.withLock { $0.failedCall } }
  package var isDead: Bool { state.withLock { $0.isDead } }

  /// Makes the call with this number, counted from 0, do otherwise.
  package func fail(at call: Int, _ fault: DiskFault) { state.withLock { $0.faults[call] = fault } }
  /// A new process: calls are carried out again.
  package func revive() { state.withLock { $0.isDead = false } }
}
