public import PGOutput

/// The live end of a log, handed over in memory: what the writer has made durable goes to the readers of the same
/// process without a detour over the disk.
///
/// It keeps the most recent groups up to a bound in bytes. A reader that has fallen behind them reads files and
/// comes back. All state is guarded by `monitor`: hence `@unchecked Sendable`.
public final class LogTail: @unchecked Sendable {
  /// How far the log is durable.
  public struct DurableEnd: Hashable, Sendable {
    /// The segment (its start) and the byte in it up to which readers may go: the end of a whole transaction.
    public let segment: LSN
    /// The offset in that segment's file.
    public let offset: UInt64
    /// End of the last whole durable transaction.
    public let end: LSN
    /// Everything up to here is in the log, durably.
    public let watermark: LSN
  }

  private let monitor = Monitor()
  private let capacity: Int
  private var ring = TailRing()
  private var published: DurableEnd?
  private var wakeCount: UInt64 = 0
  private var closed = false

  /// A tail that holds at most `capacity` bytes of records.
  public init(capacity: Int = 8 << 20) { self.capacity = capacity }

  /// How far readers may go; nil before the writer has opened the log.
  public var durable: DurableEnd? { monitor.locked { published } }

  /// Whether the writer is done: readers drain what there is and stop.
  public var isClosed: Bool { monitor.locked { closed } }

  /// Lets every waiting reader return at once, with nothing.
  public func wake() {
    monitor.locked {
      wakeCount &+= 1
      monitor.broadcast()
    }
  }

  /// Says that nothing more will come.
  public func close() {
    monitor.locked {
      closed = true
      monitor.broadcast()
    }
  }

  /// Waits until the log is durable past `position` (its watermark counts), or until the timeout, a `wake` or `close`.
  /// Returns how far it is.
  @discardableResult
  public func wait(after position: LSN, timeout: Duration) -> DurableEnd? {
    let deadline = MonotonicTime(after: timeout)
    return monitor.locked {
      let wakes = wakeCount
      while !closed, wakeCount == wakes, (published?.watermark ?? .invalid) <= position {
        if !monitor.wait(until: deadline) { break }
      }
      return published
    }
  }

  // The writer's side.

  /// Takes a frame in that is written but not yet durable.
  func append(_ entry: TailRing.Entry) {
    monitor.locked { ring.append(entry, capacity: capacity) }
  }

  /// Forgets the frames from `cursor` on: they were cut from the file.
  func discard(from cursor: LogCursor) {
    monitor.locked { ring.discard(from: cursor) }
  }

  /// Makes everything up to `end` visible.
  func publish(_ end: DurableEnd) {
    monitor.locked {
      published = end
      monitor.broadcast()
    }
  }

  // The readers' side.

  /// What a reader that stands at a cursor can do.
  enum Offer {
    /// The frame right after its cursor.
    case entry(TailRing.Entry)
    /// There is more, but in the files, up to this end.
    case files(DurableEnd)
    /// Nothing yet; it waited until the deadline or was woken.
    case nothing
    /// Nothing, and nothing more will come.
    case closed
  }

  /// The frame after `cursor`, waiting for it until `deadline`.
  func next(after cursor: LogCursor, until deadline: MonotonicTime?) -> Offer {
    monitor.locked {
      let wakes = wakeCount
      while true {
        if let published {
          let limit = LogCursor(segment: published.segment, offset: published.offset)
          // A segment's first frame begins in the one before, which may be all that is visible: it may end within a
          // transaction that is not complete, and be cut again. What the segment begins with is in the files.
          if cursor < limit {
            if let entry = ring.entry(after: cursor), entry.to <= limit { return .entry(entry) }
            return .files(published)
          }
        }
        if closed { return .closed }
        if wakeCount != wakes || !monitor.wait(until: deadline) { return .nothing }
      }
    }
  }
}
