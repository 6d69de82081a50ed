import ChangeLog
import Derivation
import FailPoints
import PGOutput
import Postgres

extension TargetSession {
  /// Prepares the statements of a standing.
  ///
  /// - Parameter isFirst: those that every standing needs, too.
  func prepareStatements(
    for standing: Direction.Standing, _ sql: DerivationSQL, isFirst: Bool
  ) throws(PostgresError) {
    if isFirst {
      try connection.prepare("quarantine", QuarantineSQL.add, purpose: "prepare the quarantine")
      try connection.prepare("release", QuarantineSQL.release, purpose: "prepare the quarantine's release")
      try connection.prepare(
        "releaseAll", QuarantineSQL.releaseAll, purpose: "prepare the quarantine's release")
      try connection.prepare("account", AccountSQL.add, purpose: "prepare the account of writers")
      try connection.prepare("turn", Direction.takeUp, purpose: "prepare the turn")
    }
    switch standing {
    case .forward:
      try connection.prepare("advance", Checkpoint.advance, purpose: "prepare the checkpoint's statement")
      try connection.prepare("apply", sql.applyKeys, purpose: "prepare the derivation")
      try prepareHeldRows(sql)
    case .both:
      try prepareCourse(sql)
      try prepareHeldRows(sql)
    case .rest: try connection.prepare("pass", CourseSQL.pass, purpose: "prepare the checkpoint's statement")
    }
  }

  /// Sends a batch: checkpoint, rows, quarantine, account, in one flight and one commit.
  func start(_ batch: Batch, end: LSN) throws(PostgresError) {
    let parameters = BatchParameters(batch, keyColumns: keyColumns, withSettled: quarantineInUse)
    var statements = [mark.statement(end: "\(end)")]
    if let course = batch.course {
      statements += self.statements(course, batch)
    } else {
      statements += forwardStatements(batch, parameters, end: end)
    }
    statements += quarantineStatements(batch, parameters)
    statements += closingStatements(batch, end: end)
    try connection.startPipeline(
      statements, purpose: "apply a batch up to \(end)",
      beforeSync: FailPoint.isArmed(.appliedBeforeCommit) ? { FailPoint.pass(.appliedBeforeCommit) } : nil)
  }

  private func forwardStatements(
    _ batch: Batch, _ parameters: BatchParameters, end: LSN
  ) -> [PipelineStatement] {
    [
      PipelineStatement(
        "advance",
        [
          .text(plan.slot), .text("\(end)"), .integer(batch.path.transactions), .integer(batch.path.changes),
          xids(batch),
        ]), PipelineStatement("apply", parameters.derived),
    ]
  }

  private func quarantineStatements(_ batch: Batch, _ parameters: BatchParameters) -> [PipelineStatement] {
    var statements: [PipelineStatement] = []
    if batch.truncated { statements.append(PipelineStatement("releaseAll", [.text(plan.slot)])) }
    if parameters.settledCount > 0 {
      statements.append(PipelineStatement("release", [.text(plan.slot), parameters.settled]))
    }
    if parameters.quarantinedCount > 0 {
      statements.append(PipelineStatement("quarantine", [.text(plan.slot)] + parameters.quarantined))
    }
    if parameters.unsentCount > 0 {
      statements.append(PipelineStatement("unsent", [.text(plan.slot)] + parameters.unsent))
    }
    return statements
  }

  /// What is counted, and, last, the turn.
  private func closingStatements(_ batch: Batch, end: LSN) -> [PipelineStatement] {
    var statements: [PipelineStatement] = []
    if let values = AccountSQL.parameters(plan.slot, batch.path) {
      statements.append(PipelineStatement("account", values))
    }
    if let turn = batch.turn {
      statements.append(
        PipelineStatement(
          "turn", [.text(plan.slot), .text(turn.asked.rawValue), .text("\(turn.askedLSN)"), .text("\(end)")]))
    }
    return statements
  }
}
