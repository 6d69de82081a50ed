public import ChangeLog
import PGOutput
import Synchronization

/// Who is being sent events, and how far each is: for the status, and for cutting off who takes nothing.
public final class SubscriberBook: Sendable {
  /// A subscriber, as it stands.
  public struct Entry: Sendable {
    /// Whose token it came with; nil where nobody is asked for one.
    public let name: String?
    /// Where it asks from: address and port; nil where that is not known.
    public let peer: String?
    /// The slot.
    public let slot: String
    /// Everything up to here was taken from us.
    public var position: Position
    /// Events sent.
    public var events: UInt64 = 0
    /// When what is being sent was given to it; nil when nothing is on its way.
    public var sendingSince: ContinuousClock.Instant?
    /// When it came.
    public let since: ContinuousClock.Instant

    /// The token itself, as it was then.
    let holder: Token?
    let cut: @Sendable () -> Void

    /// Since when it has taken nothing of what was given to it; nil when that is not long.
    public func stalled(at now: ContinuousClock.Instant) -> Duration? {
      guard let sendingSince, now - sendingSince >= SubscriberBook.stall else { return nil }
      return now - sendingSince
    }
  }

  /// How long a subscriber takes nothing before it counts as stalled.
  static let stall = Duration.seconds(5)

  private struct State {
    var nextID = 0
    var entries: [Int: Entry] = [:]
    var cuts: UInt64 = 0
  }

  private let state = Mutex(State())

  /// An empty book.
  public init() {}

  /// All of them, the oldest first.
  public var entries: [Entry] {
    state.withLock { state in state.entries.sorted { $0.key < $1.key }.map(\.value) }
  }

  /// How many were cut off.
  public var cuts: UInt64 { state.withLock { $0.cuts } }

  func add(
    holder: Token?, peer: String?, slot: String, position: Position, cut: @escaping @Sendable () -> Void
  ) -> Int {
    state.withLock { state in
      state.nextID += 1
      state.entries[state.nextID] = Entry(
        name: holder?.name, peer: peer, slot: slot, position: position, since: .now, holder: holder, cut: cut)
      return state.nextID
    }
  }

  func remove(_ id: Int) { state.withLock { state in state.entries[id] = nil } }

  func sending(_ id: Int) { state.withLock { $0.entries[id]?.sendingSince = .now } }

  func sent(_ id: Int, position: Position, events: Int) {
    state.withLock { state in
      state.entries[id]?.sendingSince = nil
      state.entries[id]?.position = position
      state.entries[id]?.events += UInt64(events)
    }
  }

  /// Cuts off those of a slot whose token is not for it any more; returns them.
  func dismiss(slot: String, _ tokens: TokenList) -> [Entry] {
    let dismissed = state.withLock { state in
      let found = state.entries.filter { _, entry in
        entry.slot == slot && !(entry.holder.map { tokens.stillAllows($0, slot) } ?? false)
      }
      for id in found.keys { state.entries[id] = nil }
      return Array(found.values)
    }
    for entry in dismissed { entry.cut() }
    return dismissed
  }

  /// Cuts off all that are left.
  func cutAll() {
    let left = state.withLock { state in
      defer { state.entries.removeAll() }
      return Array(state.entries.values)
    }
    for entry in left { entry.cut() }
  }

  /// Cuts off those of a slot that are stalled and have more than `limit` bytes of the log before them; returns them.
  func cut(slot: String, end: LSN, limit: UInt64) -> [Entry] {
    let now = ContinuousClock.now
    let cut = state.withLock { state in
      let found = state.entries.filter { _, entry in
        entry.slot == slot && end.bytes(since: entry.position.endLSN) > limit && entry.stalled(at: now) != nil
      }
      for id in found.keys { state.entries[id] = nil }
      state.cuts += UInt64(found.count)
      return Array(found.values)
    }
    for entry in cut { entry.cut() }
    return cut
  }
}
