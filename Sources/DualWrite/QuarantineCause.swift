public import Derivation
public import Postgres

/// Why a row is in quarantine, and what to do about it: the one place for that text, which the cutover's gate, `status` and
/// `quarantine list` show.
public enum QuarantineCause: String, CaseIterable, Sendable {
  case unknownStatus = "unknown status"
  case unknownState = "unknown state"
  /// One change wrote both columns, and they do not agree.
  case contradiction
  /// The change came without the old row.
  case untold
  /// The bridge has left a pair that does not agree.
  case unbridged
  /// The change came without one of the columns.
  case unsent
  /// The server refused our write.
  case refused

  /// The cause of a reason as it is written down; nil for one that this program does not write.
  public init?(reason: String) {
    guard let cause = Self.allCases.first(where: { reason.hasPrefix($0.beginning ?? "\u{0}") }) else {
      guard reason.contains("(SQLSTATE ") else { return nil }
      self = .refused
      return
    }
    self = cause
  }

  /// How its reasons begin; nil where the server words them.
  private var beginning: String? {
    switch self {
    case .unknownStatus: Verdict.Refusal.unknownStatus.reason
    case .unknownState: Verdict.Refusal.unknownState.reason
    case .contradiction: Verdict.Refusal.contradiction.reason
    case .untold: Verdict.Refusal.untold.reason
    case .unbridged: Verdict.Refusal.unbridged.reason
    case .unsent: Verdict.Refusal.unsent.reason
    case .refused: nil
    }
  }

  /// An SQL expression over `reason`: the cause's name; empty for a reason that this program does not write.
  static let expression =
    "CASE "
    + allCases.map { cause in
      let test =
        cause.beginning.map { "starts_with(reason, \(SQLText.literal($0)))" } ?? "reason LIKE '%(SQLSTATE %'"
      return "WHEN \(test) THEN \(SQLText.literal(cause.rawValue)) "
    }.joined() + "ELSE '' END"

  /// What to do. While both columns are written a row is only released by a change of the application's, which tells which of
  /// them it meant.
  public func mend(_ derive: SlotDefinition.Derive, _ standing: Direction.Standing) -> String {
    let (map, from, to) = ("\(derive.map.table) and derive.map.states", derive.from, derive.to)
    let retry = "then `crossfade quarantine retry SLOT`"
    switch (self, standing) {
    case (.unknownStatus, .forward): return "add it to \(map), \(retry)"
    case (.unknownStatus, _): return "add it to \(map), then set \(to) in that row to go with it"
    case (.unknownState, _):
      return
        "set \(to) in that row to a state of the map; or add it to \(map), then set \(from) to go with it"
    case (.contradiction, _), (.unbridged, _):
      return "set the column that is wrong in that row, and the other one alone stays"
    case (.untold, _):
      return
        "give \(derive.table) and its partitions REPLICA IDENTITY FULL again, then set the column that is wrong in that row"
    case (.unsent, _):
      return
        "publish \(from) and \(to) (`crossfade check SLOT` gives the statement), then set the column that is wrong in that row"
    case (.refused, .forward): return "mend what the server names (a constraint, a trigger), \(retry)"
    case (.refused, _):
      return
        "mend what the server names (a constraint, a trigger), then set the column that is wrong in that row"
    }
  }
}

/// How many rows are in quarantine for one cause.
public struct QuarantineCount: Sendable, Equatable {
  /// The cause; nil for a reason that this program does not write.
  public var cause: QuarantineCause?
  /// The rows.
  public var rows: Int64
  /// What to do about them.
  public var mend: String

  /// A count from its parts.
  public init(_ cause: QuarantineCause?, rows: Int64, mend: String) {
    self.cause = cause
    self.rows = rows
    self.mend = mend
  }

  /// `2 for an unknown status: add it to ...`.
  public var sentence: String {
    let why =
      switch cause {
      case .unknownStatus: "for an unknown status"
      case .unknownState: "for an unknown state"
      case .contradiction: "for a contradiction"
      case .untold: "for a change that came without the old row"
      case .unbridged: "left out of step by the bridge"
      case .unsent: "for a change that came without one of the columns"
      case .refused: "refused by the server"
      case nil: "for another reason"
      }
    return "\(rows) \(why): \(mend)"
  }
}

extension Quarantine {
  /// How many rows of a slot there are for each cause, the most frequent first.
  public static func causes(
    _ derive: SlotDefinition.Derive, slot: String, on connection: Connection
  ) throws(PostgresError) -> [QuarantineCount] {
    guard try ControlSchema.exists(on: connection) else { return [] }
    let standing = try Direction.load(slot: slot, on: connection).standing
    let rows = try connection.query(
      """
      SELECT \(QuarantineCause.expression), count(*) FROM crossfade.quarantine WHERE slot = $1
       GROUP BY 1 ORDER BY 2 DESC, 1
      """, [.text(slot)], purpose: "count the quarantine by cause")
    return (0..<rows.rowCount).map { row in
      let cause = rows[row, 0].flatMap { QuarantineCause(rawValue: $0) }
      return QuarantineCount(
        cause, rows: rows.integer(row, 1) ?? 0,
        mend: cause?.mend(derive, standing) ?? "`crossfade quarantine list SLOT` says which")
    }
  }
}
