import Derivation

/// A changelog a group, of formatted SQL, a changeset a step; and one over all that can be included as it stands.
struct LiquibaseFiles {
  let emission: Emission

  init(_ emission: Emission) { self.emission = emission }

  var files: [EmittedFile] {
    emission.groups.map { group in
      let sets = group.steps.map { changeset($0) }
      return EmittedFile(
        path: "\(group.directory).sql",
        text: (["--liquibase formatted sql"] + sets).joined(separator: "\n\n") + "\n")
    }
  }

  private func changeset(_ item: Emission.NumberedStep) -> String {
    let sql = EmittedSQL(item: item, plan: emission.plan)
    // In a transaction the text goes to the server whole, so that nothing has to be cut at semicolons, which the body of a
    // function may hold. Outside of one each statement must go by itself.
    let manner =
      sql.isAlone
      ? "runInTransaction:false splitStatements:true rollbackSplitStatements:true"
      : "splitStatements:false rollbackSplitStatements:false"
    let statements =
      sql.isAlone
      ? sql.sessionLimits + item.step.statements + EmittedSQL.resetLimits
      : sql.localLimits + item.step.statements
    let back = sql.back.map { Self.unbroken($0.item.step.statements) } ?? ["SELECT 1"]
    return
      (["--changeset crossfade:\(emission.plan.definition.slot)/\(Self.identifier(item)) \(manner)"]
      + sql.heading.map { "--comment: \($0)" }.prefix(1) + EmittedSQL.closed(statements)
      + EmittedSQL.closed(back).map { "--rollback \($0)" }).joined(separator: "\n")
  }

  /// The step's name, which ends at a space and must not look like an attribute.
  private static func identifier(_ item: Emission.NumberedStep) -> String {
    let plain = Set("abcdefghijklmnopqrstuvwxyz0123456789._-")
    let name = String(item.step.id.replacing(":", with: "-").map { plain.contains($0) ? $0 : "_" })
    // What had to be replaced might make two names one.
    return name.contains("_") && !item.step.id.contains("_") ? "\(name)-\(item.digits)" : name
  }

  /// A rollback is a comment, and ends with its line.
  private static func unbroken(_ statements: [String]) -> [String] {
    statements.map { $0.replacing("\n", with: " ") }
  }
}
