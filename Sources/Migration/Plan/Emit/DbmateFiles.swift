/// `001_expand_map.sql` with both directions. What runs outside of a transaction has one statement a section and no limits
/// beside it: dbmate sends a section whole, and PostgreSQL makes one transaction of several statements sent at once.
struct DbmateFiles {
  let emission: Emission

  init(_ emission: Emission) { self.emission = emission }

  var files: [EmittedFile] {
    emission.groups.flatMap { group in
      group.steps.map { item in
        let sql = EmittedSQL(item: item, plan: emission.plan)
        let back =
          sql.back.map { section("down", $0) } ?? ["-- migrate:down", "-- \(sql.item.step.noWayBack)"]
        let lines = sql.heading.map { "-- \($0)" } + section("up", sql) + [""] + back
        return EmittedFile(
          path: "\(group.directory)/\(emission.order(item))_\(item.slug).sql",
          text: lines.joined(separator: "\n") + "\n")
      }
    }
  }

  private func section(_ direction: String, _ sql: EmittedSQL) -> [String] {
    sql.isAlone
      ? ["-- migrate:\(direction) transaction:false"] + EmittedSQL.closed(sql.item.step.statements)
      : ["-- migrate:\(direction)"] + EmittedSQL.closed(sql.localLimits + sql.item.step.statements)
  }
}

extension Step {
  /// Why there are no statements that undo it.
  var noWayBack: String { wayBackNote ?? "nothing to undo" }
}
