import Derivation
import Foundation
import LocalCluster
import Logging
import Migration
import Postgres
import Testing

extension CommandTests {
  /// The old column was NOT NULL, and the map has a state without an old text.
  @Suite("crossfade cutover --back --forward-only, and rows without an old text", .serialized)
  struct ForwardOnly {
    private static let new = "public.transactions.state_id"
    private static let back = [
      "--back", "--forward-only", "--quiet", "1s", "--confirm", "public.transactions.status",
    ]

    /// Cut over, with `run` at work.
    private func cutOver(_ name: String) throws -> LedgerSlot {
      let slot = try LedgerSlot(name)
      try slot.sql("ALTER TABLE transactions ALTER status DROP DEFAULT, ALTER status SET NOT NULL")
      try done(slot, "expand")
      try slot.sql("INSERT INTO transaction_state VALUES (9, 'disputed', NULL)")
      try slot.start()
      for command in ["backfill", "constrain", "verify"] { try done(slot, command) }
      let look = try slot.crossfade("cutover", more: ["--dry-run"]).output
      #expect(
        look.contains(
          "\npass  way back      status is required, and no text of it says disputed: `--back --forward-only` waits "
            + "until no row is in that state, or keeps it nullable\n"), "\(look)")
      try done(slot, "cutover", "--confirm", Self.new)
      return slot
    }

    private func done(_ slot: LedgerSlot, _ command: String...) throws {
      let run = try slot.crossfade(command[0], more: Array(command.dropFirst()))
      #expect(run.status == .exited(0), "\(command): \(run.output)")
    }

    /// A new writer's insert, and an update of each row by somebody who names neither column.
    private func expectApplicationGoesOn(_ slot: LedgerSlot) throws {
      try slot.sql(
        """
        INSERT INTO transactions (card_token, merchant_id, amount_cents, currency, state_id)
        VALUES ('tok', 1, 1, 'EUR', 2);
        UPDATE transactions SET merchant_id = merchant_id + 1
        """)
      #expect(try checks(slot) == "0")
    }

    private func checks(_ slot: LedgerSlot) throws -> String? {
      try slot.sql(
        "SELECT count(*) FROM pg_constraint WHERE conrelid = 'transactions'::regclass AND contype = 'c'")
    }

    private func awaitQuiet(_ slot: LedgerSlot) throws {
      let isQuiet = try slot.await(
        """
        SELECT coalesce(max(last_at) < now() - interval '1100 ms', true) FROM crossfade.legacy WHERE kind = 'new'
        """, within: .seconds(30))
      #expect(isQuiet)
    }

    private func standing(_ slot: LedgerSlot) throws -> String? {
      try slot.sql(
        """
        SELECT (SELECT attnotnull FROM pg_attribute WHERE attrelid = 'transactions'::regclass AND attname = 'status')
               || ' ' || (SELECT standing FROM crossfade.direction)
        """)
    }

    @Test("a gate counts them before anything is done; they get a text, or the column stays nullable")
    func gate() throws {
      let slot = try cutOver("forward_gate")
      try slot.sql("UPDATE transactions SET state_id = 9 WHERE id <= 3")
      try #require(try slot.await("SELECT count(*) = 3 FROM transactions WHERE status IS NULL"))
      try awaitQuiet(slot)
      for command in [["--back", "--forward-only", "--quiet", "1s", "--dry-run"], Self.back] {
        let look = try slot.crossfade("cutover", more: command)
        #expect(look.status == .exited(3))
        #expect(
          look.output.contains(
            "fail  old texts    status is NULL in 3 rows (3 of state 9)\n"
              + "      asked: no row whose status is NULL: it is required again\n"
              + "      mend:  give them one, as in UPDATE \"public\".\"transactions\" SET \"status\" = 'AUTH' WHERE "
              + "\"status\" IS NULL, and state_id follows; or add --keep-nullable: status stays nullable\n"),
          "\(look.output)")
        #expect(try standing(slot) == "false both")
      }
      try expectApplicationGoesOn(slot)
      try goBack(slot, "--keep-nullable")
      #expect(try standing(slot) == "false forward")
      try done(slot, "verify", "--restart")
      try done(slot, "cutover", "--confirm", Self.new)
      try slot.sql("UPDATE transactions SET status = 'AUTH' WHERE status IS NULL")
      try #require(try slot.await("SELECT count(*) = 0 FROM transactions WHERE state_id = 9"))
      try goBack(slot)
      #expect(try standing(slot) == "true forward")
      try done(slot, "audit", "--verify")
    }

    /// To the old column alone: what was written to the new one may still be on its way to where it is counted.
    private func goBack(_ slot: LedgerSlot, _ more: String...) throws {
      var output = ""
      let isDone = try eventually(within: .seconds(30)) {
        let run = try slot.crossfade("cutover", more: Self.back + more)
        output = run.output
        return run.status == .exited(0)
      }
      #expect(isDone, "\(output)")
    }

    @Test("one that comes after the gate: the validation fails, and its check is taken away again")
    func latecomer() throws {
      let slot = try cutOver("forward_late")
      let definition = try SlotDefinition.parse(
        yaml: try String(contentsOfFile: slot.path, encoding: .utf8), file: slot.path,
        environment: slot.environment.compactMapValues { $0 })
      var options = CutoverOptions()
      options.quiet = 1
      let cutover = Migration.Cutover(
        definition: definition, options: options, interrupt: try #require(Interrupt()),
        logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
      let (cluster, name) = (slot.cluster, slot.name)
      let error = #expect(throws: MigrationError.self) {
        try cutover.forwardOnly(confirm: { _ in true }) { news in
          guard case .begins(let step) = news, step.id == "cutover.nullable:check",
            !step.title.hasPrefix("undo")
          else { return }
          do {
            let writer = try Connection(
              cluster.conninfo(database: name), options: .init(applicationName: "latecomer"))
            try writer.query("UPDATE transactions SET state_id = 9 WHERE id = 1", purpose: "be late")
            let isFollowed = try eventually(within: .seconds(20)) {
              try writer.query("SELECT status IS NULL FROM transactions WHERE id = 1", purpose: "look")
                .boolean(0, 0)
            }
            #expect(isFollowed)
          } catch { Issue.record(error) }
        }
      }
      #expect(
        error?.description.contains("transactions_status_not_null") == true, "\(error.map { "\($0)" } ?? "")")
      #expect(
        error?.hint
          == "its check is taken away again: nothing of the application fails by it. "
          + "`crossfade cutover SLOT --back --forward-only --dry-run` counts the rows")
      try expectApplicationGoesOn(slot)
      #expect(
        try slot.sql(
          "SELECT string_agg(step || ' ' || state, ', ' ORDER BY step) FROM crossfade.step WHERE step LIKE 'cutover.nullable:%'"
        ) == "cutover.nullable:check undone, cutover.nullable:validate failed")
      #expect(try !slot.crossfade("status").output.contains("broken off"))
      #expect(try standing(slot) == "false both")
      #expect(try slot.sql("SELECT count(*) FROM crossfade.quarantine") == "0")
      try slot.sql("UPDATE transactions SET status = 'AUTH' WHERE status IS NULL")
      try goBack(slot)
      #expect(try standing(slot) == "true forward")
    }

    @Test(
      "killed right after the check: status and rollback say how to go on; what refuses then takes it away")
    func killed() throws {
      let slot = try cutOver("forward_killed")
      var environment = slot.environment
      // The first commit tells the readers.
      environment["CROSSFADE_FAIL_POINT"] = "step-after-commit:2"
      let killed = try ChildProcess.run(
        [try CrossfadeBinary.path(), "cutover", slot.path] + Self.back, environment: environment,
        within: .seconds(60))
      #expect(killed.status == .signalled(SIGKILL), "\(killed.output)")
      #expect(try checks(slot) == "1")
      let status = try slot.crossfade("status").output
      #expect(
        status.contains(
          "\nbroken off cutover.nullable:check, to require status of new rows again: run `crossfade cutover SLOT --back "
            + "--forward-only` again, which goes on or takes the check away, or go forth by `crossfade cutover SLOT`; until "
            + "then inserts that leave the old column out fail\n"), "\(status)")
      let rollback = try slot.crossfade("rollback", more: ["--yes-drop", Self.new])
      #expect(rollback.status == .exited(3))
      #expect(
        rollback.output.contains(
          "One was broken off, and inserts that leave status out fail until it goes on"), "\(rollback.output)"
      )
      // A new writer is still there.
      try slot.sql("UPDATE transactions SET state_id = 1 + state_id % 8 WHERE id = 1")
      try #require(try slot.await("SELECT EXISTS (SELECT FROM crossfade.legacy WHERE kind = 'new')"))
      let refused = try slot.crossfade(
        "cutover", more: ["--back", "--forward-only", "--confirm", "public.transactions.status"])
      #expect(refused.status == .exited(3), "\(refused.output)")
      #expect(refused.output.contains("fail  lone writes"), "\(refused.output)")
      try expectApplicationGoesOn(slot)
      #expect(try !slot.crossfade("status").output.contains("broken off"))
      try goBack(slot)
      #expect(try standing(slot) == "true forward")
      try done(slot, "audit", "--verify")
    }
  }
}
