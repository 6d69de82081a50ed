import Derivation
import Foundation
import Postgres
import Testing

@testable import Migration

@Suite("Files for other tools") struct EmissionTests {
  static func plan(_ change: (inout SlotDefinition) -> Void = { _ in }, done: Set<String> = []) throws -> Plan
  {
    let definition = try PlanHashTests.definition(change)
    let facts = PlanHashTests.facts
    return Plan(
      definition: definition, server: facts.version, hash: .of(definition, facts: facts), findings: [],
      entries: MigrationSteps(definition, facts: facts).all.map {
        Plan.Entry(step: $0, isDone: done.contains($0.id))
      })
  }

  private func file(
    _ path: String, _ tool: EmitTool, first: Int = 1, follows: String? = nil
  ) throws -> String {
    let plan = try Self.plan()
    let files = Emission(plan, first: first, follows: follows).files(for: tool)
    let found = try #require(files.first { $0.path == path }, "\(files.map(\.path))")
    return found.text.replacing(plan.hash.short, with: "HASH")
  }

  @Test("groups are what may be deployed at once: between them stands work, or a wait")
  func groups() throws {
    let emission = Emission(try Self.plan())
    #expect(
      emission.groups.map { "\($0.directory): \($0.before.joined(separator: ", ")): \($0.steps.count)" } == [
        "1-expand: : 4", "2-constrain: `crossfade run SLOT.yaml`, `crossfade backfill SLOT.yaml`: 3",
        "3-cutover: `crossfade verify SLOT.yaml`: 2", "4-cutover: `crossfade cutover SLOT.yaml`: 1",
        "5-contract: `crossfade cutover SLOT.yaml`: 5", "6-rename: `crossfade contract --rest SLOT.yaml`: 1",
        "7-drop: wait 168h: the old column is only renamed until then: 1",
      ])
  }

  @Test("what stands already is left out, and numbers do not skip")
  func pending() throws {
    let emission = Emission(try Self.plan(done: ["expand.schema", "expand.map", "capture.slot"]))
    #expect(
      emission.steps.map(\.name).prefix(3) == ["01_expand_states", "02_expand_column", "03_backfill_index"])
    let all = Set(try Self.plan().entries.map(\.step.id))
    #expect(Emission(try Self.plan(done: all)).groups.isEmpty)
  }

  @Test("Flyway: an index alone in its file, with the configuration that keeps it out of a transaction")
  func flyway() throws {
    #expect(
      try file("2-constrain/V005__backfill_index.sql", .flyway) == """
        -- backfill.index: build an index on public.transactions(state_id), concurrently
        -- crossfade plan HASH of slot states; locks SHARE UPDATE EXCLUSIVE on "public"."transactions", while it reads the table twice, and waits for every older transaction of the database to end
        SET lock_timeout = '0';
        SET statement_timeout = '0';
        CREATE INDEX CONCURRENTLY "transactions_state_id_idx" ON "public"."transactions" ("state_id");
        RESET lock_timeout;
        RESET statement_timeout;

        """)
    #expect(
      try file("2-constrain/V005__backfill_index.sql.conf", .flyway) == "executeInTransaction=false\n")
    #expect(
      try file("1-expand/V004__expand_column.sql", .flyway) == """
        -- expand.column: add nullable column state_id to public.transactions
        -- crossfade plan HASH of slot states; locks ACCESS EXCLUSIVE on "public"."transactions", a moment
        SET LOCAL lock_timeout = '2000ms';
        SET LOCAL statement_timeout = '10000ms';
        ALTER TABLE "public"."transactions" ADD COLUMN "state_id" bigint;

        """)
    #expect(
      try file("1-expand/undo/U004__expand_column.sql", .flyway).hasSuffix("DROP COLUMN \"state_id\";\n"))
    #expect(
      try file("2-constrain/V20261121000005__backfill_index.sql", .flyway, first: 20_261_121_000_001) != "")
  }

  @Test("a hundred partitions: names sort as their numbers do, and no two changesets share one")
  func partitions() throws {
    let table = try QualifiedName(sql: "public.transactions")
    var facts = PlanHashTests.facts
    facts.isPartitioned = true
    facts.partitions = try (0..<100).map { number in
      .init(name: try QualifiedName(sql: "public.\"P \(number)\""), parent: table)
    }
    let definition = try PlanHashTests.definition()
    let plan = Plan(
      definition: definition, server: facts.version, hash: .of(definition, facts: facts), findings: [],
      entries: MigrationSteps(definition, facts: facts).all.map { Plan.Entry(step: $0) })
    let names = Emission(plan).files(for: .sql).map(\.path).filter { $0.hasSuffix(".up.sql") }
    #expect(names.count > 400)
    #expect(names == names.sorted())
    let changesets = Emission(plan).files(for: .liquibase).flatMap { file in
      file.text.split(separator: "\n").filter { $0.hasPrefix("--changeset ") }
        .map { $0.split(separator: " ")[1] }
    }
    #expect(changesets.count == names.count)
    #expect(Set(changesets).count == changesets.count)
  }

  @Test("dbmate: one statement where there is no transaction, both directions in a file")
  func dbmate() throws {
    #expect(
      try file("2-constrain/005_backfill_index.sql", .dbmate).split(separator: "\n").suffix(4) == [
        "-- migrate:up transaction:false",
        "CREATE INDEX CONCURRENTLY \"transactions_state_id_idx\" ON \"public\".\"transactions\" (\"state_id\");",
        "-- migrate:down transaction:false",
        "DROP INDEX CONCURRENTLY \"public\".\"transactions_state_id_idx\";",
      ])
    #expect(
      try file("2-constrain/007_backfill_validate.sql", .dbmate).hasSuffix(
        "-- migrate:down\n-- nothing to undo\n"))
  }

  @Test("dbmate sorts files by their names, so their numbers have as many digits each")
  func order() throws {
    let names = Emission(try Self.plan(), first: 95).files(for: .dbmate).dropFirst().map {
      $0.path.split(separator: "/")[1]
    }
    #expect(names == names.sorted())
    #expect(names.first?.hasPrefix("095_") == true)
    #expect(names.last?.hasPrefix("111_") == true)
    // A number near the end of what can be counted must not end the process.
    #expect(Emission(try Self.plan(), first: .max).files(for: .dbmate).count == 18)
  }

  @Test("Liquibase: a changeset a step, whole in its transaction or out of it")
  func liquibase() throws {
    let text = try file("2-constrain.sql", .liquibase)
    #expect(
      text.hasPrefix(
        """
        --liquibase formatted sql

        --changeset crossfade:states/backfill.index runInTransaction:false splitStatements:true rollbackSplitStatements:true
        --comment: backfill.index: build an index on public.transactions(state_id), concurrently
        SET lock_timeout = '0';
        SET statement_timeout = '0';
        CREATE INDEX CONCURRENTLY "transactions_state_id_idx" ON "public"."transactions" ("state_id");
        RESET lock_timeout;
        RESET statement_timeout;
        --rollback DROP INDEX CONCURRENTLY "public"."transactions_state_id_idx";

        --changeset crossfade:states/backfill.foreign-key splitStatements:false rollbackSplitStatements:false

        """))
    #expect(text.hasSuffix("--rollback SELECT 1;\n"))
  }

  @Test("Alembic: revisions in a chain, short enough for its table, that refuse one transaction for all")
  func alembic() throws {
    let text = try file(
      "2-constrain/crossfade_HASH_05_backfill_index.py".replacing(
        "HASH", with: try Self.plan().hash.short), .alembic)
    #expect(text.contains("revision = \"crossfade_HASH_05\"\ndown_revision = \"crossfade_HASH_04\"\n"))
    #expect("crossfade_\(try Self.plan().hash.short)_05".utf8.count <= 32)
    #expect(
      text.contains(
        """
            with op.get_context().autocommit_block():
                op.execute("SET lock_timeout = '0'")
                op.execute("SET statement_timeout = '0'")
                op.execute('CREATE INDEX CONCURRENTLY "transactions_state_id_idx" ON "public"."transactions" ("state_id")')
        """))
    let first = try file(
      "1-expand/crossfade_HASH_01_expand_schema.py".replacing(
        "HASH", with: try Self.plan().hash.short), .alembic, follows: "ab12")
    #expect(first.contains("down_revision = \"ab12\"\n"))
  }

  @Test("psql: a script a direction, that stops at the first error")
  func psql() throws {
    #expect(
      try file("6-rename/16_contract_rename.down.sql", .sql).hasSuffix(
        """
        \\set ON_ERROR_STOP on
        BEGIN;
        SET LOCAL lock_timeout = '2000ms';
        SET LOCAL statement_timeout = '10000ms';
        ALTER TABLE "public"."transactions" RENAME COLUMN "status_retired" TO "status";
        COMMIT;

        """))
  }

  @Test("the notes say in which order, and what stands between", arguments: EmitTool.allCases)
  func notes(_ tool: EmitTool) throws {
    let text = try file("README.md", tool)
    let wanted = [
      "deploy `1-expand", "`crossfade run", "`crossfade backfill", "deploy `2-constrain", "`crossfade verify",
    ]
    let places = wanted.map { text.range(of: $0)?.lowerBound }
    #expect(!places.contains(nil), "\(text)")
    #expect(places.compactMap { $0 } == places.compactMap { $0 }.sorted())
    #expect(text.contains("- `cutover.publication` has no way back: "))
    for grant in [
      "- to own `public.transactions`, or `GRANT OWNER TO DEPLOYER;`",
      "- `GRANT USAGE, CREATE ON SCHEMA \"public\" TO DEPLOYER;` for the index",
      "`GRANT REFERENCES ON \"public\".\"transaction_state\" TO DEPLOYER;` for the foreign key",
      "- `GRANT USAGE, CREATE ON SCHEMA crossfade TO DEPLOYER;` where another role owns it",
    ] { #expect(text.contains(grant), "\(text)") }
  }

  @Test("texts in Python come back as they were, and no colon in them is taken for a parameter")
  func python() {
    #expect(PythonText.literal(#"a 'b' \ c"#) == #""a 'b' \\ c""#)
    #expect(PythonText.literal(#"a "b""#) == #"'a "b"'"#)
    #expect(PythonText.literal(#"a "b" 'c'"#) == #""a \"b\" 'c'""#)
    #expect(PythonText.literal("a\n\"b\"") == "\"\"\"a\n\\\"b\\\"\"\"\"")
    #expect(
      PythonText.statement("SELECT ':x', a::text, 'b:c', '12:30'")
        == #""SELECT '\\:x', a::text, 'b:c', '12:30'""#)
  }

  @Test("no file is overwritten: where one is there, none is written")
  func overwrite() throws {
    let directory = NSTemporaryDirectory() + "emission-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: directory) }
    let files = [
      EmittedFile(path: "a/one.sql", text: "one\n"), EmittedFile(path: "two.sql", text: "two\n"),
    ]
    try EmissionWriter(directory: directory + "/deep").write(files)
    #expect(try String(contentsOfFile: directory + "/deep/a/one.sql", encoding: .utf8) == "one\n")
    try FileManager.default.removeItem(atPath: directory + "/deep/a/one.sql")
    #expect(throws: EmissionWriter.Failure.exists(path: directory + "/deep/two.sql")) {
      try EmissionWriter(directory: directory + "/deep").write(files)
    }
    #expect(!FileManager.default.fileExists(atPath: directory + "/deep/a/one.sql"))
    #expect(throws: EmissionWriter.Failure.system(path: "/dev/null/x", errno: ENOTDIR)) {
      try EmissionWriter(directory: "/dev/null").write([EmittedFile(path: "x/y", text: "")])
    }
  }
}
