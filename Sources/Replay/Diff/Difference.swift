public import ChangeLog
public import Derivation
public import PGOutput

/// A row that the target holds otherwise than the log derives it, with no later change to explain it.
public struct Difference: Hashable, Sendable {
  /// How they differ.
  public enum Class: String, CaseIterable, Sendable {
    /// The new column is NULL though the map has a state for the status.
    case incomplete
    /// The new column holds another state than the map gives.
    case incorrect
    /// The map knows no such status; the new column is NULL.
    case unmapped
    /// As incomplete or incorrect, but the dual-write has not come as far as the change.
    case pending
    /// The row's status is not the one that the log says last.
    case status
    /// The row is not there, and the log knows of no delete.
    case gone
    /// The row is there though the log says that it went.
    case risen

    /// Whether a change that is lost in a gap could explain it. The others show in the row itself: what the log lost, the
    /// dual-write has lost, too.
    var mayBeLost: Bool {
      switch self {
      case .status, .gone, .risen: true
      case .incomplete, .incorrect, .unmapped, .pending: false
      }
    }
  }

  /// How they differ.
  public let kind: Class
  /// The row's key.
  public let key: RowKey
  /// The last change of the row in the log.
  public let position: Position
  /// When that committed.
  public let commitTime: Timestamp?
  /// The status that it left; nil when the row went.
  public let logged: RowEvent.Status?
  /// What the target holds; nil when the row is not there.
  public let held: HeldRow?
  /// The state that should be there; nil where there should be none.
  public let expected: State?
}

/// A row as the target holds it.
public struct HeldRow: Hashable, Sendable {
  /// The old column as its type writes it; nil for NULL.
  public var status: ExactText?
  /// The old column as the map is asked for it: a `char(n)` without its padding.
  var mapped: ExactText?
  /// The new column; nil for NULL.
  public var to: ExactText?
}

/// What one look at the target gave for a key.
struct TargetLook: Hashable, Sendable {
  /// The row; nil when there is none.
  var row: HeldRow?
  /// Whether the transaction that is last in the log could be seen by then.
  var isSettled: Bool
}

/// Decides whether and how a row differs. A value, without socket or clock.
struct Judge {
  let map: StateMap
  /// Whether the old column follows the new one, too: what we write to it is not in the log.
  var isBothWays = false

  /// The state that a row should hold; nil where the map has none.
  func expected(_ row: HeldRow) -> State? { map.state(for: row.mapped) }

  /// How the target differs from the log; nil when it does not.
  func difference(_ state: KeyState, _ row: HeldRow?) -> Difference.Class? {
    switch (state.standing, row) {
    case (.gone, nil): return nil
    case (.gone, _?): return .risen
    case (.present, nil): return .gone
    case (.present(let status), let row?):
      let column = Self.column(row.to, expected(row))
      if isBothWays, column == nil { return nil }
      if case .known(let logged) = status, logged != row.status { return .status }
      return column
    }
  }

  /// How the new column differs from what it should hold.
  static func column(_ to: ExactText?, _ expected: State?) -> Difference.Class? {
    switch (to, expected) {
    case (nil, nil): .unmapped
    case (nil, _?): .incomplete
    case (let to?, let expected?): to == expected.id ? nil : .incorrect
    case (_?, nil): .incorrect
    }
  }
}
