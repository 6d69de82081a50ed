import Postgres
import Synchronization

/// Runs the application's transactions on one session, and times them.
struct LedgerSession {
  let connection: Connection
  let tally: TallyCell
  let statementLimit_ms: Int
  let statements: LedgerStatements

  /// What a transaction that went through has done.
  struct Effect {
    var inserted: [KnownTransaction] = []
    var moved: [KnownTransaction] = []
    var deleted = 0
    var missed = 0
    var isRolledBack = false
  }

  /// Runs one transaction. `token` stands in the audit entries it makes.
  func run(
    _ work: LedgerWork, token: String, source: inout LedgerWorkSource
  ) throws(PostgresError) -> Effect {
    var effect = Effect()
    switch work {
    case .insert(let new): try insert(new, token, &effect)
    case .move(let known, let next): try move(known, to: next, token, &effect)
    case .history(let id): try moveHistory(id, token, &source, &effect)
    case .delete(let known):
      let result = try ask(
        LedgerStatements.delete, [.integer(known.id), .text(token)], purpose: "delete a transaction")
      effect.deleted = result.affectedRows
      effect.missed = 1 - effect.deleted
    case .batch(let steps):
      try ask("BEGIN", purpose: "begin")
      for step in steps { try run(step, token, &effect) }
      try ask("COMMIT", purpose: "commit")
    case .rollback(let steps):
      try ask("BEGIN", purpose: "begin")
      var undone = Effect()
      for step in steps { try run(step, token, &undone) }
      try ask("ROLLBACK", purpose: "roll back")
      effect.isRolledBack = true
    case .savepoint(let steps, let undoneSteps):
      try ask("BEGIN", purpose: "begin")
      for step in steps { try run(step, token, &effect) }
      try ask("SAVEPOINT before_doubt", purpose: "set a savepoint")
      var undone = Effect()
      for step in undoneSteps { try run(step, token, &undone) }
      try ask("ROLLBACK TO SAVEPOINT before_doubt", purpose: "roll back to a savepoint")
      try ask("COMMIT", purpose: "commit")
    }
    return effect
  }

  /// One statement, timed.
  @discardableResult
  func ask(
    _ sql: String, _ parameters: [Parameter] = [], purpose: String
  ) throws(PostgresError) -> QueryResult {
    let begin = ContinuousClock.now
    let result = try connection.query(
      sql, parameters, purpose: purpose, timeoutMilliseconds: statementLimit_ms)
    let took = ContinuousClock.now - begin
    tally.update {
      $0.statements += 1
      $0.statementLatency.record(took)
    }
    return result
  }

  private func run(_ step: LedgerStep, _ token: String, _ effect: inout Effect) throws(PostgresError) {
    switch step {
    case .insert(let new): try insert(new, token, &effect)
    case .move(let known, let next): try move(known, to: next, token, &effect)
    }
  }

  private func insert(
    _ new: NewTransaction, _ token: String, _ effect: inout Effect
  ) throws(PostgresError) {
    let result = try ask(
      statements.insert,
      [
        .text(new.cardToken), .integer(new.merchantID), .integer(new.amount_cents), .text(new.currency),
        statements.value(new.status), .text(token), .text(new.status.text),
      ], purpose: "authorize")
    guard let id = result.integer(0, 0) else {
      throw .unexpected(purpose: "authorize", what: "no id came back")
    }
    effect.inserted.append(KnownTransaction(id: id, status: new.status))
  }

  private func move(
    _ known: KnownTransaction, to next: LegacyStatus, _ token: String, _ effect: inout Effect
  ) throws(PostgresError) {
    let result = try ask(
      statements.move,
      [
        .integer(known.id), statements.value(next), statements.value(known.status), .text(token),
        .text(next.text),
      ], purpose: "move a status")
    if result.affectedRows == 1 {
      effect.moved.append(KnownTransaction(id: known.id, status: next))
    } else {
      effect.missed += 1
    }
  }

  private func moveHistory(
    _ id: Int64, _ token: String, _ source: inout LedgerWorkSource, _ effect: inout Effect
  ) throws(PostgresError) {
    let read = try ask(statements.read, [.integer(id)], purpose: "read a status")
    // A deleted row, NULL, a text of no state and a final state have no next step.
    guard let text = read[0], let status = statements.status(text), let next = source.drawMove(from: status)
    else {
      effect.missed += 1
      return
    }
    try move(KnownTransaction(id: id, status: status), to: next, token, &effect)
  }
}
