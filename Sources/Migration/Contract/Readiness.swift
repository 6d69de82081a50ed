public import Derivation
import DualWrite
public import Postgres

/// Whether the old column may go, and what is in the way: `crossfade readiness`, and what `contract` looks at. A value.
public struct Readiness: Sendable {
  /// What must hold.
  public var gates: [ReadinessGate]
  /// How the application writes.
  public var account: LegacyAccount
  /// The clock of legacy writes.
  public var clock: QuietClock
  /// The server's clock, in seconds since 1970.
  public var now: Double
  /// Where the old column is.
  public var column: OldColumn
  /// When it was renamed, in seconds since 1970.
  public var retiredAt: Double?
  /// When it may be dropped, in seconds since 1970; nil before it is renamed.
  public var droppable: Double?
  /// What would vanish with the column, without a word.
  public var vanishing: [String]
  /// What perhaps uses it, by its text.
  public var perhaps: [String]
  /// Whether a bridge keeps the columns in step.
  public var isBridged: Bool
  /// What tells which application writes, or why nothing does.
  public var attribution: String
  /// What the dual-write does.
  public var standing: String
  /// The name of the old column, as it is in the definition.
  public var from: String

  init(_ facts: ReadinessFacts) {
    gates = facts.gates
    account = facts.account
    clock = facts.clock
    isBridged = facts.isBridged
    now = facts.seen.now
    column = facts.column
    retiredAt = facts.retiredAt
    droppable = facts.retiredAt.map { $0 + Double(facts.definition.migrate.grace.count) / 1_000 }
    vanishing = facts.dependents?.vanishing.map(\.name) ?? []
    perhaps = facts.dependents?.perhaps.map(\.name) ?? []
    standing = facts.direction.standing.rawValue
    from = facts.derive.from.description
    attribution =
      switch (facts.isBridged, facts.serverMajor >= 14) {
      case (true, true): "the bridge tells the application of each legacy write"
      case (_, false): "PostgreSQL \(facts.serverMajor) does not tell which application wrote a row"
      case (false, true):
        "the server does not tell which application wrote a row; `migrate.bridge: trigger` would. The keys and "
          + "times here can be looked up in the applications' own logs"
      }
  }

  /// What is in the way.
  public var obstacles: [ReadinessGate] { gates.filter { !$0.holds } }

  /// Whether nothing is.
  public var isReady: Bool { obstacles.isEmpty }

  /// What stands in the way, in one sentence without its full stop.
  public var sentence: String {
    switch column {
    case .gone: return "the old column \(from) is gone"
    case .retired:
      let left = max(0, (droppable ?? now) - now)
      return left > 0
        ? "the old column \(from) is retired; it can be dropped in \(QuietClock.text(left))"
        : "the old column \(from) is retired, and its grace time is over: `crossfade contract SLOT --drop`"
    case .stands: break
    }
    guard let first = obstacles.first else { return "nothing stands in the way: `crossfade contract SLOT`" }
    let others = obstacles.count - 1
    return "not ready: \(first.found)" + (others == 0 ? "" : "; and \(others) more")
  }

  /// Asks a server. Writes nothing.
  public static func take(
    _ definition: SlotDefinition, on connection: Connection, interrupt: Interrupt
  ) throws(MigrationError) -> Readiness {
    Readiness(try ReadinessFacts.ask(definition, on: connection, interrupt: interrupt))
  }
}
