import Foundation
import LocalCluster
import Postgres
import Testing

extension CommandTests {
  /// The whole way over the tool and the real dual-write: cut over, contract, back; and SIGKILL of the tool in each step.
  @Suite("crossfade readiness, contract, and rollback from there", .serialized) struct ContractCommand {
    private static let old = "public.transactions.status"
    private static let new = "public.transactions.state_id"

    private func done(_ slot: LedgerSlot, _ command: String...) throws {
      let run = try slot.crossfade(command[0], more: Array(command.dropFirst()))
      #expect(run.status == .exited(0), "\(command): \(run.output)")
    }

    /// Cut over and verified again, with `run` at work.
    private func cutOver(_ name: String, migrate: String) throws -> LedgerSlot {
      let slot = try LedgerSlot(name, more: "migrate:\n\(migrate)")
      try done(slot, "expand")
      try slot.start()
      for command in ["backfill", "constrain", "verify"] { try done(slot, command) }
      try done(slot, "cutover", "--confirm", Self.new)
      try done(slot, "verify", "--restart")
      return slot
    }

    private func columns(_ slot: LedgerSlot) throws -> String? {
      try slot.sql(
        """
        SELECT string_agg(attname || CASE WHEN attnotnull THEN '!' ELSE '' END, ' ' ORDER BY attname) FROM pg_attribute
         WHERE attrelid = 'transactions'::regclass AND attname ~ '^(status|state_id)' AND NOT attisdropped
        """)
    }

    /// Writes of the new column alone.
    private func write(_ slot: LedgerSlot) throws {
      try slot.sql(
        """
        UPDATE transactions SET state_id = 1 + (id + 3) % 8 WHERE id % 3 = 0;
        INSERT INTO transactions (card_token, merchant_id, amount_cents, currency, state_id)
        SELECT 'tok', 1, 1, 'EUR', 1 + i % 8 FROM generate_series(1, 20) AS i
        """)
    }

    private func inStep(_ slot: LedgerSlot) throws -> Bool {
      try slot.await(
        """
        SELECT NOT EXISTS (SELECT FROM transactions t LEFT JOIN transaction_state m ON m.id = t.state_id
                            WHERE t.status IS DISTINCT FROM m.legacy_status OR m.id IS NULL)
        """)
    }

    @Test("the whole course, restarts of `run` among it, and what other commands say then")
    func course() throws {
      let slot = try cutOver("contract_cli", migrate: "  quiet: 1s\n  grace: 0s\n")
      #expect(try slot.await("SELECT count(*) = 0 FROM crossfade.legacy WHERE kind IN ('old', 'conflict')"))
      try slot.sql("UPDATE transactions SET status = 'DECLINED' WHERE id = 5")
      #expect(try slot.await("SELECT EXISTS (SELECT FROM crossfade.legacy WHERE kind = 'old')"))
      let seen = try slot.crossfade("readiness")
      #expect(
        seen.output.contains("legacy writes:\n  (application not known): 1 in 7 days, the last "),
        "\(seen.output)")
      #expect(seen.output.contains("; keys 5\n"), "\(seen.output)")
      #expect(
        try eventually(within: .seconds(20)) { try slot.crossfade("readiness").status == .exited(0) })
      let dry = try slot.crossfade("contract", more: ["--dry-run"])
      #expect(dry.status == .exited(0))
      #expect(
        dry.output.hasPrefix("nothing stands in the way; to be done:\n  1  require state_id of new rows ("),
        "\(dry.output)")
      let unnamed = try slot.crossfade("contract")
      #expect(unnamed.status == .exited(3))
      #expect(
        unnamed.output.hasSuffix("nothing was done: to do it, add --confirm \(Self.old)\n"),
        "\(unnamed.output)")
      try done(slot, "contract", "--confirm", Self.old)
      #expect(try columns(slot) == "state_id! status_retired")
      try write(slot)
      try slot.stop()
      try slot.start()
      for command in ["expand", "backfill", "constrain", "verify"] {
        let run = try slot.crossfade(command)
        #expect(run.status == .exited(3), "\(command): \(run.output)")
      }
      for command in ["status", "plan", "readiness", "audit"] {
        let run = try slot.crossfade(command)
        #expect(
          run.status == .exited(0) || (command == "plan" && run.status == .exited(1)),
          "\(command): \(run.output)")
      }
      try done(slot, "rollback", "--confirm", Self.old)
      #expect(try columns(slot) == "state_id status")
      #expect(try inStep(slot))
      try write(slot)
      try slot.sql("UPDATE transactions SET status = 'EXPIRED' WHERE id % 5 = 0")
      #expect(try inStep(slot))
      #expect(try slot.sql("SELECT count(*) FROM transactions WHERE id % 5 = 0 AND state_id <> 8") == "0")
      try done(slot, "verify", "--restart")
      #expect(
        try eventually(within: .seconds(20)) {
          try slot.crossfade("contract", more: ["--confirm", Self.old]).status == .exited(0)
        })
      try done(slot, "contract", "--drop", "--confirm", Self.old + "_retired")
      #expect(try columns(slot) == "state_id!")
      try write(slot)
      try slot.stop()
      try slot.start()
      let plan = try slot.crossfade("rollback")
      #expect(plan.output.contains("loses: what went when status was dropped"), "\(plan.output)")
      try done(slot, "rollback", "--confirm", Self.old)
      #expect(try columns(slot) == "state_id status")
      #expect(try inStep(slot))
      try slot.sql(
        "UPDATE transactions SET state_id = 2 WHERE id % 7 = 0; UPDATE transactions SET status = 'AUTH' WHERE id % 7 = 1"
      )
      #expect(try inStep(slot))
      try done(slot, "rollback", "--confirm", Self.old)
      #expect(try slot.sql("SELECT phase FROM crossfade.migration") == "verified")
      let both = try slot.crossfade("rollback", more: ["--yes-drop", Self.new])
      #expect(both.status == .exited(3))
      #expect(
        both.output.hasPrefix("crossfade: status is derived from state_id too since "), "\(both.output)")
      try slot.sql("DELETE FROM crossfade.legacy WHERE kind = 'new'")
      try done(slot, "cutover", "--back", "--forward-only", "--confirm", Self.old)
      try slot.stop()
      try done(slot, "rollback", "--yes-drop", Self.new)
      #expect(try columns(slot) == "status")
      try done(slot, "audit", "--verify")
    }

    @Test(
      "killed before and after each commit: it goes on, or goes back",
      arguments: ["step-before-commit", "step-after-commit"])
    func kill(_ point: String) throws {
      let slot = try cutOver(
        "contract_\(point.hasPrefix("step-before") ? "before" : "after")", migrate: "  quiet: 0s\n")
      for pass in 1...8 {
        var environment = slot.environment
        environment["CROSSFADE_FAIL_POINT"] = "\(point):\(pass)"
        for (command, option) in [("contract", "--confirm"), ("rollback", "--confirm")] {
          let run = try ChildProcess.run(
            [try CrossfadeBinary.path(), command, slot.path, option, Self.old], environment: environment,
            within: .seconds(60))
          if command == "contract", run.status == .exited(0) { #expect(pass > 7, "\(run.output)") }
          try write(slot)
          // On after an even number, back after an odd one.
          if command == "contract", pass.isMultiple(of: 2) {
            try done(slot, "contract", "--confirm", Self.old)
            #expect(try columns(slot) == "state_id! status_retired", "\(point):\(pass)")
          }
        }
        _ = try slot.crossfade("rollback", more: ["--confirm", Self.old])
        if try slot.sql("SELECT phase FROM crossfade.migration") != "cut over" {
          try done(slot, "cutover", "--confirm", Self.new)
        }
        #expect(try columns(slot) == "state_id status", "\(point):\(pass)")
        #expect(try inStep(slot), "\(point):\(pass)")
        try done(slot, "verify", "--restart")
      }
      try done(slot, "audit", "--verify")
    }
  }
}
