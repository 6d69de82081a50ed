import Derivation
import DualWrite
import Postgres

extension ContractReturn {
  /// Carries a plan out, and enters `cut over`.
  func carryOut(_ plan: RollbackPlan) throws(MigrationError) -> [StepOutcome] {
    try MigrationError.asking { () throws(PostgresError) in
      try ControlTable.ensure([RefillTable.control], on: run.connection)
    }
    var outcomes: [StepOutcome] = []
    for step in plan.steps {
      switch step.id {
      case "return.fill":
        outcomes.append(try Refill(run: run, step: step, column: name).fill())
      case MigrationSteps.restID:
        outcomes.append(
          try DirectionTurn(run: run, step: step, standing: .both, isBack: true).take())
      case "return.exchange" where step.statements == steps.dropTriggers:
        outcomes += try run.run([step], isBack: true)
      case "cutover.publication", "cutover.identity": outcomes += try run.run([step])
      case _ where step.id.hasPrefix("return."):
        outcomes += try run.run([step])
      default: outcomes += try run.run([step], isBack: true)
      }
    }
    try end()
    return outcomes
  }

  /// What went with something else is undone too.
  private func end() throws(MigrationError) {
    try MigrationError.asking { () throws(PostgresError) in
      guard try run.runner.account.isThere() else { return }
      try run.connection.transaction(purpose: "write down that it is back") { () throws(PostgresError) in
        try run.connection.query(
          "DELETE FROM crossfade.refill WHERE slot = $1", [.text(run.definition.slot)],
          purpose: "forget how far it was filled")
        try run.connection.query(
          """
          UPDATE crossfade.step SET state = 'undone', finished_at = clock_timestamp()
           WHERE slot = $1 AND state IN ('done', 'running', 'failed')
             AND (step LIKE 'contract.%' OR step LIKE 'return.%')
          """, [.text(run.definition.slot)], purpose: "write down what went with the rest")
      }
    }
    try run.enter(.cutOver, onlyForward: false)
  }
}
