import Derivation
import Postgres

/// The README beside the emitted files: what goes in when, and how the tool must be set.
struct EmissionNotes {
  let emission: Emission
  let tool: EmitTool

  init(_ emission: Emission, _ tool: EmitTool) {
    self.emission = emission
    self.tool = tool
  }

  var text: String {
    let derive = emission.plan.definition.derive
    var lines = [
      "# \(derive.table).\(derive.from) -> \(derive.to), for \(name)", "",
      "Written by `crossfade plan --emit \(tool.rawValue)`, plan \(emission.plan.hash.short), PostgreSQL "
        + "\(emission.plan.server.major). What stood in the database already was left out.", "",
      "Each folder is a deployment. The next one must wait until what stands between them is done:", "",
    ]
    var number = 0
    for group in emission.groups {
      for wait in group.before {
        number += 1
        lines.append("\(number). \(wait)")
      }
      number += 1
      lines.append("\(number). deploy `\(tool == .liquibase ? "\(group.directory).sql" : group.directory)`:")
      lines += group.steps.map { "   - \($0.step.id): \($0.step.title)" }
    }
    for wait in emission.after {
      number += 1
      lines.append("\(number). \(wait)")
    }
    return (lines + [""] + grants + [""] + common + [""] + setting).joined(separator: "\n") + "\n"
  }

  private var name: String {
    switch tool {
    case .flyway: "Flyway"
    case .liquibase: "Liquibase"
    case .dbmate: "dbmate"
    case .alembic: "Alembic"
    case .sql: "psql"
    }
  }

  /// What its list was is known once `crossfade run` has made it, which is after these files are written.
  private var publication: [String] {
    guard emission.steps.contains(where: { $0.step.id == "cutover.publication" }) else { return [] }
    let (name, table) = (
      emission.plan.definition.publication.quoted, emission.plan.definition.derive.table.quoted
    )
    return [
      "- `cutover.publication` has no way back: which columns \(name) lists is decided when `crossfade run` makes it, and until then "
        + "nobody knows. To list some again, once `cutover.identity` is undone and in one transaction: "
        + "`ALTER PUBLICATION \(name) DROP TABLE \(table); ALTER PUBLICATION \(name) ADD TABLE \(table) (...);`",
      "- A replica identity that these files set is not taken back by Crossfade: `cutover --back --forward-only`, `contract --drop` and "
        + "`rollback` say that FULL stays, and give the statement. Undo it by hand then.",
    ]
  }

  /// What the statements need of whoever deploys them, by what they do.
  private var grants: [String] {
    let derive = emission.plan.definition.derive
    let all = emission.steps.flatMap(\.step.statements)
    func contains(_ text: String) -> Bool { all.contains { $0.contains(text) } }
    let table = derive.table.schema.quoted
    let map = derive.map.table
    var lines = [
      "## Grants", "",
      "`crossfade check` lists what the role of `source.connection` lacks. Whoever deploys these files (`DEPLOYER`) needs, of a "
        + "superuser or the owners:", "",
      "- to own `\(derive.table)`, or `GRANT OWNER TO DEPLOYER;`",
    ]
    if contains("CREATE INDEX") {
      lines.append("- `GRANT USAGE, CREATE ON SCHEMA \(table) TO DEPLOYER;` for the index")
    }
    if contains("CREATE TABLE \(map.quoted)") {
      lines.append("- `GRANT USAGE, CREATE ON SCHEMA \(map.schema.quoted) TO DEPLOYER;` for the map table")
    } else if contains("INSERT INTO \(map.quoted)") {
      lines.append("- `GRANT SELECT, INSERT ON \(map.quoted) TO DEPLOYER;` for the states")
    }
    if contains("REFERENCES \(map.quoted)") {
      lines.append(
        "- to own `\(map)`, or `GRANT REFERENCES ON \(map.quoted) TO DEPLOYER;` for the foreign key")
    }
    if contains("CREATE SCHEMA") {
      lines.append(
        "- `GRANT CREATE ON DATABASE ... TO DEPLOYER;` for schema crossfade, whose owner it becomes")
    }
    if contains("crossfade.") {
      lines.append("- `GRANT USAGE, CREATE ON SCHEMA crossfade TO DEPLOYER;` where another role owns it")
    }
    return lines
  }

  private var common: [String] {
    [
      "## What Crossfade does and the files do not", "",
      "- A lock that is not to be had within its `lock_timeout` is an error: deploy again. Crossfade tries for as long as "
        + "`migrate.lock_budget` says, with growing waits, and tells who is in the way.",
      "- `CREATE INDEX CONCURRENTLY` that was broken off leaves an INVALID index under its name: "
        + "`DROP INDEX CONCURRENTLY` it, then deploy again. There is no `IF NOT EXISTS`: it would take that index for good.",
      "- `contract` is safe only when nobody writes the old way any more. Crossfade waits until the stream has shown it.",
    ] + publication
  }

  private var setting: [String] {
    switch tool {
    case .flyway:
      [
        "## Flyway", "",
        "- `flyway.postgresql.transactional.lock=false`, or `CREATE INDEX CONCURRENTLY` waits for Flyway's own transaction for ever.",
        "- The `.conf` beside a file keeps it out of a transaction; copy both.",
        "- `undo/` holds the ways back. `flyway undo` is in the paid editions; by hand: `psql -f`.",
      ]
    case .liquibase:
      [
        "## Liquibase", "",
        "- Include a changelog when its time has come, or `liquibase --changelog-file=1-expand.sql update`.",
        "- `rollback-count` runs the ways back. An `alone` changeset that was broken off stays unrecorded and is run again.",
      ]
    case .dbmate:
      [
        "## dbmate", "",
        "- What runs outside of a transaction has no limits of its own in the file. If role or database have a "
          + "`statement_timeout`, take it away in the URL: `DATABASE_URL='...?statement_timeout=0&lock_timeout=0'`.",
        "- `dbmate rollback` runs a file's way back.",
      ]
    case .alembic:
      [
        "## Alembic", "",
        "- `context.configure(..., transaction_per_migration=True)` in `env.py`; the revisions refuse to run otherwise, since in "
          + "one transaction a step would hold the locks of the one before it.",
        "- `--after REVISION` of `crossfade plan` makes the first one follow your head.",
      ]
    case .sql:
      [
        "## psql", "",
        "- `for f in 1-expand/*.up.sql; do psql -X -f $f \"$URL\" || break; done`; the `.down.sql` undo them, from the last to the first.",
      ]
    }
  }
}
