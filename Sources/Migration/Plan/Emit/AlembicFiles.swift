/// A revision a step, each after the one before it.
struct AlembicFiles {
  let emission: Emission

  init(_ emission: Emission) { self.emission = emission }

  var files: [EmittedFile] {
    var previous = emission.follows
    return emission.groups.flatMap { group in
      group.steps.map { item -> EmittedFile in
        // Alembic keeps it in a varchar(32).
        let name = "crossfade_\(emission.plan.hash.short)_\(item.digits)"
        let file = EmittedFile(
          path: "\(group.directory)/\(name)_\(item.slug).py",
          text: revision(item, name: name, after: previous))
        previous = name
        return file
      }
    }
  }

  private func revision(_ item: Emission.NumberedStep, name: String, after previous: String?) -> String {
    let sql = EmittedSQL(item: item, plan: emission.plan)
    let back =
      sql.back.map(body) ?? ["    pass  # \(PythonText.comment(item.step.noWayBack))"]
    return """
      \(PythonText.literal(sql.heading.joined(separator: "\n")))
      from alembic import op

      revision = \(PythonText.literal(name))
      down_revision = \(previous.map(PythonText.literal) ?? "None")
      branch_labels = None
      depends_on = None


      def upgrade():
          own_transaction()
      \(body(sql).joined(separator: "\n"))


      def downgrade():
          own_transaction()
      \(back.joined(separator: "\n"))


      def own_transaction():
          # In one transaction with its neighbours a step would hold their locks while it works.
          if not op.get_context().opts.get("transaction_per_migration"):
              raise RuntimeError("env.py: context.configure(..., transaction_per_migration=True)")

      """
  }

  private func body(_ sql: EmittedSQL) -> [String] {
    guard sql.isAlone else {
      return (sql.localLimits + sql.item.step.statements).map {
        "    op.execute(\(PythonText.statement($0)))"
      }
    }
    return ["    with op.get_context().autocommit_block():"]
      + (sql.sessionLimits + sql.item.step.statements + EmittedSQL.resetLimits).map {
        "        op.execute(\(PythonText.statement($0)))"
      }
  }
}
