/// Scripts for psql, one a step and direction: `01_expand_map.up.sql`, `01_expand_map.down.sql`.
struct PsqlFiles {
  let emission: Emission

  init(_ emission: Emission) { self.emission = emission }

  var files: [EmittedFile] {
    emission.groups.flatMap { group in
      group.steps.flatMap { item -> [EmittedFile] in
        let sql = EmittedSQL(item: item, plan: emission.plan)
        let path = "\(group.directory)/\(item.name)"
        let forward = EmittedFile(path: "\(path).up.sql", text: script(sql))
        return [forward] + (sql.back.map { [EmittedFile(path: "\(path).down.sql", text: script($0))] } ?? [])
      }
    }
  }

  private func script(_ sql: EmittedSQL) -> String {
    let statements =
      sql.isAlone
      ? sql.sessionLimits + sql.item.step.statements
      : ["BEGIN"] + sql.localLimits + sql.item.step.statements + ["COMMIT"]
    return (sql.heading.map { "-- \($0)" } + ["\\set ON_ERROR_STOP on"] + EmittedSQL.closed(statements))
      .joined(separator: "\n") + "\n"
  }
}
