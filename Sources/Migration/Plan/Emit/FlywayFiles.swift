/// `V001__expand_map.sql`, and beside what runs outside of a transaction `V001__expand_map.sql.conf`.
///
/// Ways back are in `undo/`: Flyway reads them in its paid editions only, anybody by psql.
struct FlywayFiles {
  let emission: Emission

  init(_ emission: Emission) { self.emission = emission }

  var files: [EmittedFile] {
    emission.groups.flatMap { group in
      group.steps.flatMap { item -> [EmittedFile] in
        let sql = EmittedSQL(item: item, plan: emission.plan)
        let name = "\(emission.order(item))__\(item.slug).sql"
        let forward = script(sql, "\(group.directory)/V\(name)")
        return forward + (sql.back.map { script($0, "\(group.directory)/undo/U\(name)") } ?? [])
      }
    }
  }

  private func script(_ sql: EmittedSQL, _ path: String) -> [EmittedFile] {
    let statements =
      sql.isAlone
      ? sql.sessionLimits + sql.item.step.statements + EmittedSQL.resetLimits
      : sql.localLimits + sql.item.step.statements
    let text =
      (sql.heading.map { "-- \($0)" } + EmittedSQL.closed(statements)).joined(separator: "\n") + "\n"
    let file = EmittedFile(path: path, text: text)
    return sql.isAlone
      ? [file, EmittedFile(path: path + ".conf", text: "executeInTransaction=false\n")] : [file]
  }
}
