/// The transactions of a log from a position on: `LogSource.transactions`.
///
/// Each iterator reads for itself, and is used by one task at a time; a transaction belongs to its iterator.
public struct LogTransactions: AsyncSequence, Sendable {
  /// What can go wrong: the log cannot be read, is damaged, or does not hold the position asked for.
  public typealias Failure = ChangeLogError

  let source: LogSource
  let selection: LogSelection

  /// An iterator at the position; the log is opened when it is first asked.
  public func makeAsyncIterator() -> Iterator { Iterator(sequence: self) }

  /// Goes from transaction to transaction.
  public struct Iterator: AsyncIteratorProtocol {
    private let sequence: LogTransactions
    private var cursor: UnitCursor?
    private var thread: WaitingThread?
    private var isOver = false

    init(sequence: LogTransactions) { self.sequence = sequence }

    /// The next transaction, waiting for it where the sequence follows the log. What was not walked of the one before
    /// is passed over. After an error, or nil, there is no more.
    public mutating func next(
      isolation actor: isolated (any Actor)?
    ) async throws(ChangeLogError) -> LogTransaction? {
      guard !isOver else { return nil }
      do throws(ChangeLogError) {
        let cursor = try opened()
        while true {
          if let transaction = try Self.transaction(cursor) { return transaction }
          guard cursor.selection.follows, !cursor.hasEnded,
            let chunk = try await more(cursor, isolation: actor)
          else { break }
          cursor.take(chunk)
        }
      } catch {
        isOver = true
        throw error
      }
      isOver = true
      return nil
    }

    /// The next transaction.
    public mutating func next() async throws(ChangeLogError) -> LogTransaction? {
      try await next(isolation: nil)
    }

    private mutating func opened() throws(ChangeLogError) -> UnitCursor {
      if let cursor { return cursor }
      let opened = try UnitCursor(sequence.source, sequence.selection)
      cursor = opened
      return opened
    }

    /// The next transaction that is there, and has a change that is wanted.
    private static func transaction(
      _ cursor: UnitCursor
    ) throws(ChangeLogError) -> LogTransaction? {
      // What is passed over may be much: a task that is cancelled meanwhile need not see its end.
      while !Task.isCancelled, let head = try cursor.nextUnit() {
        if cursor.isForAll { return LogTransaction(head, cursor) }
        if try cursor.findChange() { return LogTransaction(head, cursor) }
      }
      return nil
    }

    private mutating func more(
      _ cursor: UnitCursor, isolation actor: isolated (any Actor)?
    ) async throws(ChangeLogError) -> LogChunk? {
      let wait = ChunkWait(
        cursor.reader, through: sequence.selection.through, tail: sequence.source.tail)
      let sleeper = if let thread { thread } else { try WaitingThread() }
      thread = sleeper
      let found = await withTaskCancellationHandler {
        await withCheckedContinuation { continuation in
          sleeper.run { continuation.resume(returning: wait.chunk()) }
        }
      } onCancel: {
        wait.stop()
      }
      return try found.get()
    }
  }
}

/// The single changes of a log from a position on: `LogSource.changes`.
public struct LogChanges: AsyncSequence, Sendable {
  /// What can go wrong: the log cannot be read, is damaged, or does not hold the position asked for.
  public typealias Failure = ChangeLogError

  let transactions: LogTransactions

  /// An iterator at the position; the log is opened when it is first asked.
  public func makeAsyncIterator() -> Iterator { Iterator(transactions.makeAsyncIterator()) }

  /// Goes from change to change.
  public struct Iterator: AsyncIteratorProtocol {
    private var transactions: LogTransactions.Iterator
    private var current: LogTransaction?

    init(_ transactions: LogTransactions.Iterator) { self.transactions = transactions }

    /// The next change, waiting for it where the sequence follows the log.
    public mutating func next(
      isolation actor: isolated (any Actor)?
    ) async throws(ChangeLogError) -> LogChange? {
      while true {
        if let change = try current?.next() { return change }
        current = try await transactions.next(isolation: actor)
        if current == nil { return nil }
      }
    }

    /// The next change.
    public mutating func next() async throws(ChangeLogError) -> LogChange? {
      try await next(isolation: nil)
    }
  }
}
