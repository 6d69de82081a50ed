import Foundation
import LocalCluster
import Postgres
import Testing

extension CommandTests {
  /// What the tools make of the emitted files, forward and back. `scripts/emitters.sh` brings those that can be had.
  @Suite("Emitted files, run", .serialized) struct EmittedFiles {
    private static let home =
      URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().path + "/.build/emitters"
    private static let alembic = home + "/python/bin/alembic"
    private static let liquibase = home + "/liquibase/liquibase"

    static func has(_ program: String) -> Bool { FileManager.default.isExecutableFile(atPath: program) }

    /// A ledger with a bridge, so that there is a function's body among the statements, and its files for a tool.
    private func emitted(_ name: String, _ tool: String, on cluster: Cluster? = nil) throws -> LedgerSlot {
      let slot = try LedgerSlot(name, on: cluster, more: "migrate:\n  bridge: trigger\n")
      let run = try slot.crossfade("plan", more: ["--emit", tool, "--to", slot.directory + "/files"])
      try #require(run.status == .exited(1), "\(run.output)")
      return slot
    }

    private func files(_ slot: LedgerSlot, _ suffix: String) throws -> [String] {
      try FileManager.default.subpathsOfDirectory(atPath: slot.directory + "/files").filter {
        $0.hasSuffix(suffix)
      }.sorted()
    }

    /// What stands between the first group and the second: the backfill, in SQL.
    private func fill(_ slot: LedgerSlot) throws {
      try slot.sql(
        "UPDATE transactions t SET state_id = s.id FROM transaction_state s WHERE s.legacy_status = t.status")
    }

    private func shape(_ slot: LedgerSlot) throws -> [String] {
      let rows = try slot.connect().query(
        """
        SELECT 'column ' || attname || CASE WHEN attnotnull THEN ' not null' ELSE '' END FROM pg_attribute
         WHERE attrelid = 'transactions'::regclass AND attnum > 0 AND NOT attisdropped AND attname ~ 'stat'
        UNION ALL SELECT 'constraint ' || conname || ' ' || convalidated FROM pg_constraint
         WHERE conrelid = 'transactions'::regclass AND contype <> 'n'
        UNION ALL SELECT 'index ' || indexrelid::regclass || ' ' || indisvalid FROM pg_index
         WHERE indrelid = 'transactions'::regclass
        UNION ALL SELECT 'trigger ' || tgname FROM pg_trigger WHERE tgrelid = 'transactions'::regclass AND NOT tgisinternal
        UNION ALL SELECT 'map' WHERE to_regclass('transaction_state') IS NOT NULL
        ORDER BY 1
        """, purpose: "look at what was made")
      return (0..<rows.rowCount).map { rows[$0, 0] ?? "" }
    }

    private let before = [
      "column status", "constraint transactions_pkey true", "index transactions_pkey true",
    ]
    private let after = [
      "column state_id not null", "constraint transactions_pkey true",
      "constraint transactions_state_id_fkey true", "index transactions_pkey true",
      "index transactions_state_id_idx true", "map",
    ]

    @discardableResult
    private func run(_ arguments: [String], in directory: String? = nil) throws -> CapturedRun {
      let shell = directory.map { ["/bin/sh", "-c", "cd \"$0\" && exec \"$@\"", $0] } ?? []
      let ended = try ChildProcess.run(shell + arguments, within: .seconds(120))
      try #require(ended.status == .exited(0), "\(arguments): \(ended.output)")
      return ended
    }

    @Test("psql runs the scripts up, and down to where it began")
    func psql() throws {
      let slot = try emitted("emitted_psql", "sql")
      let psql = slot.cluster.installation.path(of: .psql)
      let program = Self.has(psql) ? psql : "psql"
      func script(_ path: String) throws {
        try run([
          program, "-X", "-q", "-f", slot.directory + "/files/" + path, "-d",
          slot.cluster.conninfo(database: slot.name),
        ])
      }
      for path in try files(slot, ".up.sql") {
        if path.hasPrefix("2-"), path.contains("index") { try fill(slot) }
        try script(path)
      }
      #expect(try shape(slot) == after)
      for path in try files(slot, ".down.sql").reversed() { try script(path) }
      #expect(try shape(slot) == before)
    }

    /// dbmate is a Go program that could not be had where this was written. What it does with a file is little: it cuts at
    /// `-- migrate:`, and sends a section in one simple query, within BEGIN and COMMIT unless `transaction:false`.
    @Test("dbmate's files run as dbmate runs them: a section in one query, with a transaction or without")
    func dbmate() throws {
      let slot = try emitted("emitted_dbmate", "dbmate")
      let connection = try slot.connect()
      func section(_ path: String, _ direction: String) throws {
        let text = try String(contentsOfFile: slot.directory + "/files/" + path, encoding: .utf8)
        let found = try #require(
          text.components(separatedBy: "-- migrate:").first { $0.hasPrefix(direction) })
        let isAlone = found.prefix { $0 != "\n" }.contains("transaction:false")
        let body = String(found.drop { $0 != "\n" })
        guard body.contains(";") else { return }
        if isAlone {
          try connection.script(body, purpose: "run \(path)")
        } else {
          try connection.transaction(purpose: "run \(path)") { () throws(PostgresError) in
            _ = try connection.script(body, purpose: "run \(path)")
          }
        }
      }
      let paths = try files(slot, ".sql")
      for path in paths {
        if path.contains("backfill_index") { try fill(slot) }
        try section(path, "up")
      }
      #expect(try shape(slot) == after)
      for path in paths.reversed() { try section(path, "down") }
      #expect(try shape(slot) == before)
    }

    /// Flyway could not be had either. It sends statement by statement, within a transaction or, where the `.conf` says
    /// so, without: as psql does, with and without `-1`.
    @Test("Flyway's files run statement by statement, in a transaction where no configuration says otherwise")
    func flyway() throws {
      let slot = try emitted("emitted_flyway", "flyway")
      let psql = slot.cluster.installation.path(of: .psql)
      let program = Self.has(psql) ? psql : "psql"
      func migrate(_ path: String) throws {
        let file = slot.directory + "/files/" + path
        let isAlone =
          (try? String(contentsOfFile: file + ".conf", encoding: .utf8)) == "executeInTransaction=false\n"
        try run(
          [
            program, "-X", "-q", "-v", "ON_ERROR_STOP=1", "-f", file, "-d",
            slot.cluster.conninfo(database: slot.name),
          ]
            + (isAlone ? [] : ["-1"]))
      }
      let all = try files(slot, ".sql")
      for path in all.filter({ !$0.contains("/undo/") }) {
        if path.contains("backfill_index") { try fill(slot) }
        try migrate(path)
      }
      #expect(try shape(slot) == after)
      for path in all.filter({ $0.contains("/undo/") }).reversed() { try migrate(path) }
      #expect(try shape(slot) == before)
    }

    @Test(
      "Alembic upgrades group by group, downgrades to base, and refuses one transaction for all",
      .enabled(if: has(alembic), "there is no Alembic: scripts/emitters.sh brings it"))
    func alembicItself() throws {
      let slot = try emitted("emitted_alembic", "alembic")
      let (files, project) = (slot.directory + "/files", slot.directory + "/project")
      try FileManager.default.createDirectory(atPath: project, withIntermediateDirectories: true)
      func alembic(_ arguments: String...) throws { try run([Self.alembic] + arguments, in: project) }
      try alembic("init", "migrations")
      let url =
        "postgresql+psycopg://postgres@/\(slot.name)?host=\(slot.cluster.path)&port=\(slot.cluster.port)"
      try edit(project + "/alembic.ini") {
        $0.replacing(/\nsqlalchemy.url = .*\n/) { _ in "\nsqlalchemy.url = \(url)\n" }
      }
      for (index, group) in try groups(slot).enumerated() {
        if index == 1 { try fill(slot) }
        for name in try FileManager.default.contentsOfDirectory(atPath: "\(files)/\(group)") {
          try FileManager.default.copyItem(
            atPath: "\(files)/\(group)/\(name)", toPath: "\(project)/migrations/versions/\(name)")
        }
        if index == 0 {
          let refused = try ChildProcess.run(
            ["/bin/sh", "-c", "cd \"$0\" && exec \"$1\" upgrade head", project, Self.alembic])
          #expect(refused.status == .exited(1))
          #expect(
            refused.output.contains(
              "RuntimeError: env.py: context.configure(..., transaction_per_migration=True)"))
          #expect(try shape(slot) == before)
          try edit(project + "/migrations/env.py") {
            $0.replacing(
              "target_metadata=target_metadata\n",
              with: "target_metadata=target_metadata, transaction_per_migration=True\n")
          }
        }
        try alembic("upgrade", "head")
      }
      #expect(try shape(slot) == after)
      try alembic("downgrade", "base")
      #expect(try shape(slot) == before)
    }

    @Test(
      "Liquibase updates changelog by changelog, and rolls each back",
      .enabled(
        if: has(liquibase), "there is no Liquibase: scripts/emitters.sh brings it, where there is a Java"))
    func liquibaseItself() throws {
      var configuration = ClusterConfiguration()
      configuration.isDurable = false
      configuration.listensOnLoopback = true
      let cluster = try Cluster.running(configuration)
      let slot = try emitted("emitted_liquibase", "liquibase", on: cluster)
      let password = try #require(
        cluster.conninfo(over: .loopback).split(separator: " ").first { $0.hasPrefix("password=") })
      func liquibase(_ changelog: String, _ command: String...) throws {
        try run(
          [
            Self.liquibase, "--url=jdbc:postgresql://127.0.0.1:\(cluster.port)/\(slot.name)",
            "--username=postgres",
            "--\(password)", "--changelog-file=\(changelog)",
          ] + command, in: slot.directory + "/files")
      }
      let changelogs = try files(slot, ".sql")
      for (index, changelog) in changelogs.enumerated() {
        if index == 1 { try fill(slot) }
        try liquibase(changelog, "update")
      }
      #expect(try shape(slot).filter { !$0.contains("databasechangelog") } == after)
      for changelog in changelogs.reversed() {
        let text = try String(contentsOfFile: slot.directory + "/files/" + changelog, encoding: .utf8)
        let count = text.components(separatedBy: "--changeset ").count - 1
        try liquibase(changelog, "rollback-count", "\(count)")
      }
      #expect(try shape(slot) == before)
    }

    private func groups(_ slot: LedgerSlot) throws -> [String] {
      try FileManager.default.contentsOfDirectory(atPath: slot.directory + "/files")
        .filter { !$0.hasSuffix(".md") }.sorted()
    }

    private func edit(_ path: String, _ body: (String) -> String) throws {
      let text = try String(contentsOfFile: path, encoding: .utf8)
      let changed = body(text)
      try #require(changed != text, "nothing to change in \(path)")
      try changed.write(toFile: path, atomically: true, encoding: .utf8)
    }
  }
}
