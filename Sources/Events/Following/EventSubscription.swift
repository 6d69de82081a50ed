public import ChangeLog
public import Derivation

/// The events of a slot, one after the other, and then those to come.
///
///     let definition = try SlotDefinition.parse(yaml: text, file: path, environment: environment)
///     let log = LogSource(directory: definition.log.directory)
///     for try await event in EventSubscription(log, definition, after: .after(seen)) {
///       if case .state(let state) = event.state { print(event.key, state.code) }
///       seen = event.position
///     }
///
/// It reads the log's files, in whichever process: no server is asked. Each iterator reads for itself.
public struct EventSubscription: AsyncSequence, Sendable {
  /// What comes.
  public typealias Element = StateEvent
  /// What can go wrong: the log cannot be read, or does not hold what was asked for.
  public typealias Failure = ChangeLogError

  let log: LogSource
  let definition: SlotDefinition
  let map: StateMap
  let start: EventStart
  let filter: EventFilter
  let follows: Bool

  /// The events of a slot's log.
  ///
  /// - Parameters:
  ///   - map: the states; the definition's unless given.
  ///   - start: what to begin after; what is dropped already throws `pruned`, with the first position that is held.
  ///   - follow: whether to wait for more at the log's end.
  public init(
    _ log: LogSource, _ definition: SlotDefinition, map: StateMap? = nil, after start: EventStart = .earliest,
    filter: EventFilter = EventFilter(), follow: Bool = true
  ) {
    self.log = log
    self.definition = definition
    self.map = map ?? StateMap(definition.derive.map.states)
    self.start = start
    self.filter = filter
    follows = follow
  }

  /// An iterator at the start; the log is opened when it is first asked.
  public func makeAsyncIterator() -> Iterator { Iterator(self) }

  /// Goes from event to event.
  public struct Iterator: AsyncIteratorProtocol {
    private let subscription: EventSubscription
    private var cursor: Handed?
    private var thread: WaitingThread?
    private var isOver = false

    /// Used by one thread at a time, the iterator's or the one that waits for it: hence `@unchecked Sendable`.
    private final class Handed: @unchecked Sendable {
      let cursor: EventCursor
      init(_ cursor: EventCursor) { self.cursor = cursor }
    }

    init(_ subscription: EventSubscription) { self.subscription = subscription }

    /// The next event, waiting for it where the log is followed; nil at the end, or when the task is cancelled.
    public mutating func next(
      isolation actor: isolated (any Actor)?
    ) async throws(ChangeLogError) -> StateEvent? {
      guard !isOver else { return nil }
      do throws(ChangeLogError) {
        let handed = try opened()
        while !Task.isCancelled {
          if let event = try handed.cursor.next(passing: 10_000) { return event }
          guard handed.cursor.isAtEnd else { continue }
          guard subscription.follows, !handed.cursor.isOver else { break }
          try await wait(handed, isolation: actor)
        }
      } catch {
        isOver = true
        throw error
      }
      isOver = true
      return nil
    }

    /// The next event.
    public mutating func next() async throws(ChangeLogError) -> StateEvent? {
      try await next(isolation: nil)
    }

    private mutating func opened() throws(ChangeLogError) -> Handed {
      if let cursor { return cursor }
      let log = subscription.log
      guard let bounds = try log.bounds() else { throw .noLog(directory: log.directory) }
      let opened = Handed(
        EventCursor(
          log, plan: EventPlan(subscription.definition, origin: bounds.origin), map: subscription.map,
          after: try subscription.start.position(in: log), filter: subscription.filter,
          follows: subscription.follows))
      cursor = opened
      return opened
    }

    /// Sleeps on a thread of its own until there may be more; now and then it looks up, for a cancelled task.
    private mutating func wait(
      _ handed: Handed, isolation actor: isolated (any Actor)?
    ) async throws(ChangeLogError) {
      let sleeper = if let thread { thread } else { try WaitingThread() }
      thread = sleeper
      let waited: Result<Void, ChangeLogError> = await withCheckedContinuation { continuation in
        sleeper.run {
          continuation.resume(
            returning: Result { () throws(ChangeLogError) in try handed.cursor.wait(.milliseconds(250)) })
        }
      }
      try waited.get()
    }
  }
}
