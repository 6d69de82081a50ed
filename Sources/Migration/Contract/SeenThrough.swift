import Derivation
import PGOutput
import Postgres

/// Up to which moment everything that committed is applied, and so counted.
struct SeenThrough: Sendable, Equatable {
  /// The server's clock, in seconds since 1970; nil when nothing was ever applied.
  var time: Double?
  /// The server's clock when it was asked.
  var now: Double
  /// Whether all that had committed when it was asked is applied.
  var isCurrent: Bool
  /// Up to where everything is applied.
  var position: LSN

  /// Asks, and gives the stream a moment to come to where the server is now.
  ///
  /// Where it does not come, the last change that was counted says how far it is: everything before that is applied.
  ///
  /// - Parameter patience: milliseconds.
  static func ask(
    _ account: LegacyAccount, _ source: Source, on connection: Connection, patience: Int, interrupt: Interrupt
  ) throws(PostgresError) -> SeenThrough {
    let purpose = "look how far the stream is applied"
    let rows = try connection.query(
      "SELECT extract(epoch FROM clock_timestamp()), pg_current_wal_insert_lsn()", purpose: purpose)
    guard let now = rows[0, 0].flatMap(Double.init), let end = rows[0, 1].flatMap({ LSN($0) }) else {
      throw .unexpected(purpose: purpose, what: "no time and no position")
    }
    let deadline = Deadline.after(milliseconds: patience)
    var position = try source.position(enough: end, on: connection)
    while position < end, !deadline.hasPassed {
      if interrupt.wait(milliseconds: 50) { throw .interrupted(purpose: purpose) }
      position = try source.position(enough: end, on: connection)
    }
    guard position < end else { return SeenThrough(time: now, now: now, isCurrent: true, position: position) }
    let last = account.last { _ in true }?.lastAt
    return SeenThrough(time: last.map { min($0, now) }, now: now, isCurrent: false, position: position)
  }

  /// Who says up to where everything is applied.
  enum Source: Sendable {
    /// Checkpoint and change log.
    case slot(SlotDefinition)
    /// A test: all is.
    case all
    /// A test: nothing after this position is.
    case upTo(LSN)

    fileprivate func position(enough: LSN, on connection: Connection) throws(PostgresError) -> LSN {
      switch self {
      case .slot(let definition): try AppliedPosition(definition, on: connection).read(enough: enough)
      case .all: enough
      case .upTo(let position): position
      }
    }
  }
}
