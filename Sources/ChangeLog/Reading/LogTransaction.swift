public import PGOutput

/// A committed transaction, as a reader stands before its changes; or a message that was sent outside of any.
///
/// Its changes are walked once, in order, and before the next transaction is asked for: a transaction of any size
/// costs the memory of one frame. What is not walked is passed over, where whole frames can be, without unpacking them.
public final class LogTransaction {
  /// What is known of a transaction before its changes.
  public struct Head: Hashable, Sendable {
    /// Where it ends: its place in the order of commits.
    public let end: LSN
    /// Where its commit record begins; a message's own position.
    public let commitLSN: LSN
    /// When it committed; nil for a message outside of a transaction.
    public let commitTime: Timestamp?
    /// Its number; nil for a message outside of a transaction.
    public let xid: TransactionID?
    /// Where it was replicated from.
    public var origin: Origin? { replicated?.origin }

    /// Few have one: as a reference it costs the others, and every change that carries this, nearly nothing.
    var replicated: Replicated?
  }

  /// Where a transaction was replicated from.
  final class Replicated: Hashable, Sendable {
    let origin: Origin

    init(_ origin: Origin) { self.origin = origin }

    static func == (a: Replicated, b: Replicated) -> Bool { a.origin == b.origin }

    func hash(into hasher: inout Hasher) { hasher.combine(origin) }
  }

  /// What is known of it before its changes.
  public let head: Head

  private let cursor: UnitCursor
  private let generation: Int

  init(_ head: Head, _ cursor: UnitCursor) {
    self.head = head
    self.cursor = cursor
    generation = cursor.generation
  }

  /// The position after it: what to go on from when it has been handled.
  public var position: Position { Position(endLSN: head.end) }

  /// The next of its changes; nil after the last. Never waits: a transaction is given when all of it is there.
  public func next() throws(ChangeLogError) -> LogChange? {
    guard cursor.generation == generation else { throw .passedOver(end: head.end) }
    return try cursor.nextChange()
  }

  /// Calls `body` with each change that has not been walked.
  public func forEachChange(_ body: (LogChange) throws(ChangeLogError) -> Void) throws(ChangeLogError) {
    while let change = try next() { try body(change) }
  }
}
