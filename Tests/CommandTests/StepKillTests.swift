import Foundation
import LocalCluster
import Postgres
import Testing

extension CommandTests {
  /// The tool killed with SIGKILL right before and right after the commit of each step: then the same command goes on, and the way
  /// back works. Sessions and servers are struck in `MigrationTests`.
  @Suite("A killed expand, constrain and rollback", .serialized) struct StepKill {
    private static let whole = "map column index key trigger trigger"
    private static let more = "migrate:\n  bridge: trigger\n"

    /// Runs a command that dies at a fail point.
    private func kill(_ slot: LedgerSlot, _ command: [String], at point: String, pass: Int) throws
      -> CapturedRun
    {
      var environment = slot.environment
      environment["CROSSFADE_FAIL_POINT"] = "\(point):\(pass)"
      return try ChildProcess.run(
        [try CrossfadeBinary.path(), command[0], slot.path] + command.dropFirst(), environment: environment,
        within: .seconds(60))
    }

    private func done(_ slot: LedgerSlot, _ command: String...) throws {
      let run = try slot.crossfade(command[0], more: Array(command.dropFirst()))
      #expect(run.status == .exited(0), "\(command): \(run.output)")
    }

    private func standing(_ slot: LedgerSlot) throws -> String {
      try slot.sql(
        """
        SELECT concat_ws(' ', CASE WHEN to_regclass('public.transaction_state') IS NOT NULL THEN 'map' END,
          (SELECT 'column' FROM pg_attribute WHERE attrelid = 'transactions'::regclass AND attname = 'state_id'),
          (SELECT 'index' FROM pg_index WHERE indexrelid = to_regclass('transactions_state_id_idx') AND indisvalid),
          (SELECT 'key' FROM pg_constraint WHERE conname = 'transactions_state_id_fkey' AND convalidated),
          (SELECT string_agg('trigger', ' ') FROM pg_trigger WHERE tgname LIKE 'zz_crossfade%'))
        """) ?? ""
    }

    private func backfilled(_ slot: LedgerSlot) throws {
      try slot.sql(
        "INSERT INTO crossfade.backfill (slot, expected, finished_at) VALUES ('\(slot.name)', 0, now()) ON CONFLICT DO NOTHING"
      )
    }

    private func all(_ slot: LedgerSlot) throws {
      try done(slot, "expand")
      try backfilled(slot)
      try done(slot, "constrain")
      #expect(try standing(slot) == Self.whole)
    }

    private func back(_ slot: LedgerSlot) throws {
      try done(slot, "rollback", "--yes-drop", "public.transactions.state_id")
      #expect(try standing(slot) == "")
      if try slot.sql("SELECT to_regclass('crossfade.audit')") != nil { try done(slot, "audit", "--verify") }
    }

    @Test("goes on, and goes back", arguments: ["step-before-commit", "step-after-commit"])
    func forward(_ point: String) throws {
      let slot = try LedgerSlot("kill_\(point.replacing("-", with: "_"))", more: Self.more)
      // Five steps of expand, three of constrain.
      for (command, passes) in [("expand", 1...5), ("constrain", 1...3)] {
        for pass in passes {
          for goesOn in [true, false] {
            if command == "constrain" {
              try done(slot, "expand")
              try backfilled(slot)
            }
            let killed = try kill(slot, [command], at: point, pass: pass)
            #expect(killed.status == .signalled(SIGKILL), "\(command) \(pass): \(killed.output)")
            if goesOn { try all(slot) }
            try back(slot)
            try slot.sql("DROP SCHEMA IF EXISTS crossfade CASCADE")
          }
        }
      }
    }

    @Test(
      "rollback goes on, and so does the way forward", arguments: ["step-before-commit", "step-after-commit"])
    func backward(_ point: String) throws {
      let slot = try LedgerSlot("kill_back_\(point.replacing("-", with: "_"))", more: Self.more)
      // Key, index, bridge, column, states, map.
      for pass in 1...6 {
        for goesOn in [true, false] {
          try all(slot)
          let killed = try kill(
            slot, ["rollback", "--yes-drop", "public.transactions.state_id"], at: point, pass: pass)
          #expect(killed.status == .signalled(SIGKILL), "rollback \(pass): \(killed.output)")
          if !goesOn { try all(slot) }
          try back(slot)
        }
      }
    }
  }
}
