import Foundation
import Postgres

/// Writes down how the steps of a slot go: `crossfade.step` and the audit trail. Each call is part of the transaction it stands
/// in, where there is one.
struct StepAccount {
  let slot: String
  let connection: Connection

  /// What the attempts at a step came to.
  struct Effort: Sendable {
    var attempts = 0
    var lockWait = 0
    var blockers: [Blocker] = []
  }

  private var trail: AuditTrail { AuditTrail(slot: slot, connection: connection) }

  /// Whether there is an account yet: the first step makes its tables.
  func isThere() throws(PostgresError) -> Bool {
    try connection.query(
      "SELECT count(*) = 3 FROM pg_catalog.pg_tables WHERE schemaname = 'crossfade' "
        + "AND tablename IN ('migration', 'step', 'audit')", purpose: "look for the account of the migration"
    ).boolean(0, 0)
  }

  /// Locks the slot's row, so that nobody else's entry comes between, and nothing is waited for once strong locks are held.
  func lockRow() throws(PostgresError) {
    try connection.query(
      "SELECT FROM crossfade.migration WHERE slot = $1 FOR UPDATE", [.text(slot)],
      purpose: "lock the account of the migration")
  }

  /// Makes a row for each step that has none.
  func expect(_ steps: [Step]) throws(PostgresError) {
    for step in steps {
      try connection.query(
        """
        INSERT INTO crossfade.step (slot, step, state, title) VALUES ($1, $2, 'pending', $3) ON CONFLICT DO NOTHING
        """, [.text(slot), .text(step.id), .text(step.title)], purpose: "list the steps")
    }
  }

  /// A step begins. Where it is more than one transaction, its way back is written down before it does anything.
  func begin(_ step: Step, isBack: Bool) throws(PostgresError) {
    try upsert(step, "running", effort: Effort(), error: nil, keepsWayBack: isBack)
    if step.manner != .transaction {
      try trail.append(AuditEvent(.begun, step: step.id, statements: step.statements))
    }
  }

  /// It is done, or undone.
  func finish(_ step: Step, _ effort: Effort, isBack: Bool) throws(PostgresError) {
    try upsert(step, isBack ? "undone" : "done", effort: effort, error: nil, keepsWayBack: isBack)
    try trail.append(event(isBack ? .undone : .done, step, effort))
  }

  /// It was begun by a session that is gone, and stands.
  func settle(_ step: Step, isBack: Bool) throws(PostgresError) {
    try upsert(step, isBack ? "undone" : "done", effort: Effort(), error: nil, keepsWayBack: true)
    try trail.append(AuditEvent(isBack ? .undone : .done, step: step.id, statements: step.statements))
  }

  /// Its effect stood there, and we did not make it.
  func find(_ step: Step) throws(PostgresError) {
    try upsert(step, "found", effort: Effort(), error: nil, keepsWayBack: true)
    try trail.append(AuditEvent(.found, step: step.id))
  }

  /// It did not come about.
  func fail(_ step: Step, _ effort: Effort, error: String, isBack: Bool) throws(PostgresError) {
    // A way back that fails leaves what is to be undone: it stays ours.
    try upsert(step, isBack ? "done" : "failed", effort: effort, error: error, keepsWayBack: isBack)
    var failed = event(.failed, step, effort)
    failed.details.error = error
    try trail.append(failed)
  }

  /// What a broken off attempt left was cleared away.
  func clear(_ step: Step, _ statement: String) throws(PostgresError) {
    try trail.append(AuditEvent(.cleared, step: step.id, statements: [statement]))
  }

  private func event(_ kind: AuditEvent.Kind, _ step: Step, _ effort: Effort) -> AuditEvent {
    var event = AuditEvent(kind, step: step.id, statements: step.statements, lockWait: effort.lockWait)
    event.details.attempts = effort.attempts
    event.details.blockers = effort.blockers.isEmpty ? nil : effort.blockers
    return event
  }

  private func upsert(
    _ step: Step, _ state: String, effort: Effort, error: String?, keepsWayBack: Bool
  ) throws(PostgresError) {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys]
    let blockers = (try? encoder.encode(effort.blockers)).map { String(decoding: $0, as: UTF8.self) } ?? "[]"
    try connection.query(
      """
      INSERT INTO crossfade.step AS s (slot, step, state, title, attempts, started_at, finished_at, lock_wait_ms, blockers,
                                       error, way_back, backend_pid, backend_start)
      VALUES ($1, $2, $3, $4, $5, clock_timestamp(), CASE WHEN $3 <> 'running' THEN clock_timestamp() END, $6, $7::jsonb, $8,
              $9::jsonb, pg_backend_pid(), (SELECT backend_start FROM pg_stat_activity WHERE pid = pg_backend_pid()))
      ON CONFLICT (slot, step) DO UPDATE SET state = EXCLUDED.state, attempts = EXCLUDED.attempts,
        started_at = CASE WHEN s.state = 'running' THEN s.started_at ELSE EXCLUDED.started_at END,
        finished_at = EXCLUDED.finished_at, lock_wait_ms = EXCLUDED.lock_wait_ms, blockers = EXCLUDED.blockers,
        error = EXCLUDED.error,
        way_back = CASE WHEN $10 THEN s.way_back WHEN NOT $11 OR s.state IN ('pending', 'undone') THEN EXCLUDED.way_back
                   WHEN s.way_back @> EXCLUDED.way_back THEN s.way_back ELSE EXCLUDED.way_back || s.way_back END,
        title = CASE WHEN $10 THEN s.title ELSE EXCLUDED.title END,
        backend_pid = EXCLUDED.backend_pid, backend_start = EXCLUDED.backend_start
      """,
      [
        .text(slot), .text(step.id), .text(state), .text(step.title), .integer(effort.attempts),
        .integer(effort.lockWait), .text(blockers), .optional(error),
        .text(JSONStrings.write(keepsWayBack ? [] : step.wayBack)), .text(keepsWayBack ? "true" : "false"),
        .text(step.wayBackAddsUp ? "true" : "false"),
      ], purpose: "write down how step \(step.id) goes")
  }
}
