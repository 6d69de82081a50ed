import Derivation
import DualWrite
import PGOutput
import Postgres

/// One session's looks at the table, and the suspects they left.
///
/// It reads and judges; what becomes of a judgement is its user's. For one thread.
final class VerifySession {
  let table: TableLook
  let connection: Connection
  var suspects: SuspectBook
  private var patience: Patience
  private let interrupt: Interrupt
  private let applied: (Connection, LSN) throws(PostgresError) -> LSN

  /// How many suspects are looked at again at once.
  private static let portion = 5000

  init(
    _ table: TableLook, options: VerifyOptions, interrupt: Interrupt,
    applied: @escaping (Connection, LSN) throws(PostgresError) -> LSN
  ) {
    self.table = table
    connection = table.connection
    suspects = SuspectBook()
    patience = Patience(limit: options.wait)
    self.interrupt = interrupt
    self.applied = applied
  }

  /// Up to where everything is applied.
  func appliedPosition(enough: LSN) throws(PostgresError) -> LSN { try applied(connection, enough) }

  /// Judges the suspects that can be judged now.
  func judge() throws(PostgresError) -> SuspectBook.Judgement {
    guard let latest = suspects.latest else { return .init() }
    return try judge(through: try applied(connection, latest))
  }

  /// Waits until suspects can be judged, and judges some; nil when the stream stands still for too long.
  func await(_ waiting: () -> Void = {}) throws(PostgresError) -> SuspectBook.Judgement? {
    guard let earliest = suspects.earliest, let latest = suspects.latest else { return .init() }
    guard let position = try wait(for: earliest, better: latest, waiting) else { return nil }
    return try judge(through: position)
  }

  /// Waits until everything before a position is applied; nil when the stream stands still for too long.
  ///
  /// - Parameter better: what is hoped for: the position given is known exactly up to there.
  func wait(
    for position: LSN, better: LSN? = nil, _ waiting: () -> Void = {}
  ) throws(PostgresError) -> LSN? {
    patience.begin()
    while true {
      let reached = try applied(connection, better ?? position)
      if reached >= position { return reached }
      guard patience.waits(applied: reached) else { return nil }
      if interrupt.wait(milliseconds: 20) { throw .interrupted(purpose: "verify") }
      waiting()
    }
  }

  private func judge(through position: LSN) throws(PostgresError) -> SuspectBook.Judgement {
    let due = suspects.due(position, most: Self.portion)
    guard !due.isEmpty else { return .init() }
    let again = try table.wrongRows(among: due.map(\.row.key))
    return suspects.judge(due, wrong: again.rows, at: again.position)
  }
}
