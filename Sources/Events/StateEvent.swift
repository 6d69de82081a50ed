public import ChangeLog
public import Derivation
public import PGOutput

/// What one committed change did to a row's state; or that changes may be missing.
public struct StateEvent: Hashable, Sendable {
  /// What it tells.
  public enum Kind: String, Hashable, Sendable, CaseIterable {
    /// A row came, or its state is another, or may be: where it is not known what was before.
    case stateChanged = "state.changed"
    /// A row changed, and its state did not.
    case changed
    /// A row went.
    case deleted
    /// All rows went.
    case truncated
    /// Crossfade settled a row's state that no change of the row told, or repaired it.
    case stateCorrected = "state.corrected"
    /// Changes may be missing here.
    case gap
  }

  /// A state, or why there is none.
  public enum Reading: Hashable, Sendable {
    /// The state.
    case state(State)
    /// None.
    case none(Reason)
  }

  /// Why there is no state.
  public enum Reason: String, Hashable, Sendable, CaseIterable {
    /// The map does not know what the column says: the row is in quarantine until it does.
    case unmapped
    /// One change gave both columns, and they tell different states.
    case conflict
    /// The change moved neither column, and they tell different states: one of them is still to follow.
    case unsettled
    /// A large value that the change did not touch.
    case unchanged
    /// The column was not published.
    case unpublished
    /// A binary form that cannot be read without its server.
    case unreadable
    /// No row is left.
    case gone
  }

  /// A row as it was.
  public struct Previous: Hashable, Sendable {
    /// How it is known.
    public enum Source: String, Hashable, Sendable {
      /// The change came with the old row (`REPLICA IDENTITY FULL`).
      case row
      /// The log told it last of that row.
      case log
    }

    /// The old column.
    public let status: ColumnReading
    /// Its state.
    public let state: Reading
    /// How that is known.
    public let source: Source

    init(status: ColumnReading, state: Reading, source: Source = .row) {
      self.status = status
      self.state = state
      self.source = source
    }
  }

  /// What it tells.
  public let kind: Kind
  /// Where it stands: what to go on after. Of a gap, where its other side begins.
  public let position: Position
  /// What happened to the row; nil for a gap.
  public let operation: LogChange.Kind?
  /// The transaction; nil for a gap.
  public let transaction: LogTransaction.Head?
  /// The row's key afterwards, in the definition's order; of a deleted row, the one it had; empty where it is of no row.
  public let key: [ExactText]
  /// The key it had before, where that was another.
  public let oldKey: [ExactText]?
  /// The old column afterwards; nil where no row is left.
  public let status: ColumnReading?
  /// The state afterwards.
  public let state: Reading
  /// The row before: from the old row where the log has it (`REPLICA IDENTITY FULL`), else what the log told of it last, where
  /// that is remembered; nil where nobody knows.
  public internal(set) var previous: Previous?
  /// The columns that the definition chose, in its order; empty where no row is left.
  public let columns: [ColumnReading]
  /// What is missing, of a gap.
  public let gap: EventGap?
  /// Of a correction: why it was written, and what it corrects.
  public internal(set) var correction: Correction?
}

/// A part of the log of which nobody knows what it held.
public struct EventGap: Hashable, Sendable {
  /// What was read last before it.
  public let after: Position
  /// Where the first transaction behind it ends; nil when the rest of the log is lost.
  public let next: LSN?
  /// What is wrong there.
  public let reason: String
}

extension StateEvent {
  /// The event of a gap, with the position to go on after: the next transaction, if there is one, ends behind it.
  init(gap: EventGap, at position: Position? = nil) {
    let before = gap.next.map { Position(endLSN: LSN(rawValue: max($0.rawValue, 1) - 1)) }
    self.init(
      kind: .gap, position: position ?? max(before ?? gap.after, gap.after), operation: nil,
      transaction: nil, key: [], oldKey: nil, status: nil, state: .none(.gone), previous: nil, columns: [],
      gap: gap)
  }
}
