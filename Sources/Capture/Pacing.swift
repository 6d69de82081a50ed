/// Decides whether to pause before reading on, and how much may gather before it is synced.
///
/// A walsender that finds its client waiting wakes it for each message; one whose client comes a little later
/// coalesces them. Under a backlog a pause of about 100 us lets it drain faster (pgoutput over TCP most of all); 1 ms
/// collapses it. When the stream is not saturated there is no pause at all: latency comes first.
///
/// Saturated means: many waits in a row, each shorter than two transactions of a busy ledger lie apart. A rate would
/// not do: on a machine short of processors a backlog is slow as well.
package struct Pacing: Equatable {
  /// Microseconds to sleep when the stream is saturated. The kernel's timer slack (50 us) comes on top.
  package static let pauseMicroseconds: UInt32 = 60
  /// A wait for the socket that is shorter counts as none.
  package static let shortWaitNanoseconds: UInt64 = 300_000
  /// Short waits in a row from which the stream counts as saturated.
  package static let streak = 16
  /// Pauses in a row that found nothing, from which it no longer does.
  package static let emptyPauses = 4
  /// Bytes, and nanoseconds, that may gather under a backlog before they are written and synced: one sync for some
  /// thousand transactions costs the walsender's core less than one for each dozen.
  package static let groupBytes = 256 * 1024
  package static let groupNanoseconds: UInt64 = 5_000_000

  /// Whether messages come faster than they are read.
  package private(set) var saturated = false
  private var shortWaits = 0
  private var empty = 0

  package init() {}

  /// The socket was waited for, for so long, until it had something.
  package mutating func waited(nanoseconds: UInt64) {
    shortWaits = nanoseconds < Self.shortWaitNanoseconds ? shortWaits + 1 : 0
    guard shortWaits >= Self.streak else { return }
    saturated = true
    empty = 0
  }

  /// A pause is over, and so many messages had come meanwhile.
  package mutating func paused(found messages: Int) {
    empty = messages == 0 ? empty + 1 : 0
    guard empty >= Self.emptyPauses else { return }
    saturated = false
    shortWaits = 0
  }
}
