public import ChangeLog
public import Derivation

/// What one change of the log means for the rows of a slot's table.
public struct RowEvent: Hashable, Sendable {
  /// What happened.
  public enum Kind: String, Hashable, Sendable {
    /// The row came.
    case insert
    /// The row changed, its key perhaps, too.
    case update
    /// The row went.
    case delete
    /// All rows went.
    case truncate
  }

  /// The old column, as the log has it.
  public enum Status: Hashable, Sendable {
    /// A value; nil for SQL NULL.
    case known(ExactText?)
    /// A large value that the change did not touch, and so is not in the log.
    case unchanged
    /// The column was not published when the row changed.
    case unpublished
    /// In a binary form that cannot be read without its server.
    case unreadable
  }

  /// What happened.
  public let kind: Kind
  /// Where it stands.
  public let position: Position
  /// The transaction.
  public let transaction: LogTransaction.Head
  /// The row's key afterwards; of a deleted row, the one it had; nil for a truncation.
  public let key: RowKey?
  /// The key it had before, where that was another.
  public let oldKey: RowKey?
  /// The old column before, where the log has it (`REPLICA IDENTITY FULL`).
  public let oldStatus: Status?
  /// The old column afterwards; nil where no row is left.
  public let status: Status?
}

/// A row event with the state that a map makes of it.
public struct DerivedChange: Sendable {
  /// What came of the derivation.
  public enum Outcome: Hashable, Sendable {
    /// The row's state.
    case state(State)
    /// The map knows no such status.
    case unmapped
    /// No row is left.
    case gone
    /// The log does not tell the status, for this reason.
    case untold(RowEvent.Status)
  }

  /// What happened.
  public let event: RowEvent
  /// The state it leaves.
  public let outcome: Outcome

  /// The state that `map` makes of an event.
  public init(_ event: RowEvent, by map: StateMap) {
    self.event = event
    switch event.status {
    case nil: outcome = .gone
    case .known(let status)?: outcome = map.state(for: status).map { .state($0) } ?? .unmapped
    case let status?: outcome = .untold(status)
    }
  }
}
