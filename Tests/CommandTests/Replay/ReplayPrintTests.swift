import ChangeLog
import Foundation
import LocalCluster
import PGOutput
import Postgres
import Testing

extension CommandTests {
  @Suite("crossfade replay: printing", .serialized) struct ReplayPrint {
    private static let nowhere = "host=/nowhere dbname=none"

    private func ledger(_ name: String) throws -> LedgerSlot {
      let slot = try LedgerSlot.running(name)
      for statement in [
        "UPDATE transactions SET status = 'AUTH' WHERE id = 7",
        "UPDATE transactions SET status = 'CAPTURED' WHERE id IN (7, 8)",
        "UPDATE transactions SET status = 'it''s' WHERE id = 7",
        "UPDATE transactions SET status = NULL WHERE id = 7",
        "UPDATE transactions SET id = 7007, status = 'Settled' WHERE id = 8",
        "DELETE FROM ledger_audit; DELETE FROM transactions WHERE id = 7",
      ] {
        try slot.sql(statement)
      }
      try slot.awaitApplied()
      try slot.stop()
      return slot
    }

    @Test("every change, derived, without slot or server; ranges, keys, and a map of one's own")
    func printed() throws {
      let slot = try ledger("replay_printed")
      try slot.sql("SELECT pg_drop_replication_slot('replay_printed')")
      let run = try slot.replay("--from", "earliest", source: Self.nowhere)
      #expect(run.status == .exited(0), "\(run.output)")
      let lines = try objects(run)
      #expect(
        lines.compactMap { $0["op"] as? String } == [
          "update", "update", "update", "update", "update", "update", "delete", "update", "update",
        ])
      #expect(
        lines.map { ($0["state"] as? [String: String])?["code"] ?? $0["reason"] as? String } == [
          "authorized", "captured", "captured", "unmapped", "unmapped", "settled", "gone", "authorized",
          "expired",
        ])
      #expect(lines[3]["status"] as? String == "it's")
      #expect(lines[4]["status"] is NSNull && lines[4]["state"] is NSNull)
      #expect(lines[5]["key"] as? [String] == ["7007"] && lines[5]["old_key"] as? [String] == ["8"])
      #expect(lines[6]["key"] as? [String] == ["7"] && lines[6]["status"] == nil)
      let text = try #require(run.output.lines.first)
      let form = try Regex(
        #"^\{"position":"[0-9A-F]+/[0-9A-F]+\.0","commit_lsn":"[0-9A-F]+/[0-9A-F]+","commit_time":"20[^"]+Z","#
          + #""xid":[0-9]+,"op":"update","key":\["7"\],"status":"AUTH","state":\{"id":"1","code":"authorized"\}\}$"#
      )
      #expect(text.contains(form))

      // A reader that has seen enough is no failure.
      let piped = try ChildProcess.run(
        [
          "bash", "-c",
          "'\(try CrossfadeBinary.path())' replay '\(slot.path)' --from earliest | head -c 1; exit ${PIPESTATUS[0]}",
        ], environment: slot.environment, within: .seconds(60))
      #expect(piped.status == .exited(0) && piped.output == "{")

      let ends = try slot.ends()
      let one = try slot.replay("--from", ends[0], "--to", ends[1], source: Self.nowhere)
      #expect(one.output.lines == Array(run.output.lines[1...2]))
      let within = try slot.replay("--from", "\(ends[1]).0", "--to", ends[1], source: Self.nowhere)
      #expect(within.output.lines == [run.output.lines[2]])
      let time = try #require(lines[3]["commit_time"] as? String)
      let upTo = try slot.replay("--from", "earliest", "--to", time, source: Self.nowhere)
      #expect(upTo.output.lines == Array(run.output.lines[...3]))
      let keyed = try slot.replay("--from", "earliest", "--key", "8", "--key", "99", source: Self.nowhere)
      #expect(
        try objects(keyed).compactMap { $0["op"] as? String } == ["update", "update", "update", "update"])

      let map = slot.directory + "/newer.yaml"
      try
        "states:\n  - {id: 21, code: peculiar, status: \"it's\"}\n  - {id: 22, code: unknown, status: null}\n"
        .write(toFile: map, atomically: true, encoding: .utf8)
      let newer = try objects(try slot.replay("--from", "earliest", "--map", map, source: Self.nowhere))
      #expect(
        newer.map { ($0["state"] as? [String: String])?["code"] ?? $0["reason"] as? String } == [
          "unmapped", "unmapped", "unmapped", "peculiar", "unknown", "unmapped", "gone", "unmapped",
          "unmapped",
        ])
    }

    @Test("what a ledger's own audit says, change by change")
    func audited() throws {
      let slot = try LedgerSlot.running("replay_audited")
      let session = try slot.connect()
      for round in 0..<40 {
        let status = ["AUTH", "CAPTURED", "Settled", "CHARGE BACK", "nonsense"][round % 5]
        try session.query(
          """
          WITH changed AS (
            UPDATE transactions SET status = $1 WHERE id % 7 = $2::int RETURNING id, status)
          INSERT INTO ledger_audit (transaction_id, status, op, work) SELECT id, status, 'move', 'w' FROM changed
          """, [.text(status), .integer(round % 7)], purpose: "change rows")
      }
      try slot.awaitApplied()
      try slot.stop()
      let audit = try session.query(
        """
        SELECT a.transaction_id, a.status, s.id FROM ledger_audit a LEFT JOIN transaction_state s ON s.legacy_status = a.status
         WHERE a.work = 'w' ORDER BY a.seq
        """, purpose: "read the audit")
      let expected = (0..<audit.rowCount).map {
        "\(audit[$0, 0] ?? "") \(audit[$0, 1] ?? "") \(audit[$0, 2] ?? "-")"
      }
      let printed = try objects(try slot.replay("--from", "earliest", source: Self.nowhere)).map { line in
        let key = (line["key"] as? [String])?.first ?? ""
        return
          "\(key) \(line["status"] as? String ?? "") \((line["state"] as? [String: String])?["id"] ?? "-")"
      }
      #expect(printed.count > 500)
      // The last two are those by which the end was awaited.
      #expect(printed.dropLast(2) == expected[...])
    }

    @Test("damage is refused, with what is whole before it; told to, it is crossed and the gap is marked")
    func damaged() throws {
      let slot = try ledger("replay_damaged")
      let ends = try slot.ends()
      let path = try slot.segment()
      try slot.spoilFrame(2)
      let refused = try slot.replay("--from", "earliest", source: Self.nowhere)
      #expect(refused.status == .exited(65))
      #expect(refused.output.contains("is damaged at byte") && refused.output.contains("--skip-damage"))
      let crossed = try slot.replay("--from", "earliest", "--skip-damage", source: Self.nowhere)
      #expect(crossed.status == .exited(1), "\(crossed.output)")
      let lines = try objects(crossed)
      let gap = try #require(lines.compactMap { $0["gap"] as? [String: Any] }.first)
      #expect(gap["file"] as? String == path && gap["byte"] is Int)
      let after = try #require(gap["after"] as? String)
      let next = try #require(gap["next"] as? String)
      // A commit may stand in another frame than its changes: then the gap begins within the transaction.
      // It may also begin at a watermark, between two ends.
      let begin = try #require(Position(after)).endLSN
      let index = try #require(ends.lastIndex { (LSN($0) ?? .invalid) <= begin })
      let last = after.contains(".") ? index - 1 : index
      try #require(last >= 0)
      #expect(ends.contains(next) && (after.contains(".") || ends[index + 1] != next))
      // Outside of the range it does not matter.
      #expect(
        try slot.replay("--from", "earliest", "--to", ends[last], source: Self.nowhere).status == .exited(0))
      #expect(try slot.replay("--from", next, source: Self.nowhere).status == .exited(0))
    }

    @Test("what cannot be replayed is refused, with its reason")
    func refused() throws {
      let slot = try ledger("replay_refused")
      func status(_ arguments: String...) throws -> ProcessStatus {
        try ChildProcess.run(
          [try CrossfadeBinary.path(), "replay", slot.path] + arguments, environment: slot.environment,
          within: .seconds(60)
        ).status
      }
      #expect(try status() == .exited(64))
      #expect(try status("--from", "x") == .exited(64))
      #expect(try status("--from", "earliest", "--to", "2026-11-21T10:00:00") == .exited(64))
      #expect(try status("--from", "0/2", "--to", "0/1") == .exited(64))
      #expect(try status("--from", "earliest", "--diff", "--apply") == .exited(64))
      #expect(try status("--from", "earliest", "--yes") == .exited(64))
      #expect(try status("--from", "earliest", "--map", "/nowhere.yaml") == .exited(66))
      let pruned = try slot.replay("--from", "0/1")
      #expect(pruned.status == .exited(3) && pruned.output.contains("the first position held is"))
      let ahead = try slot.replay("--from", "FF/0")
      #expect(ahead.status == .exited(3) && ahead.output.contains("lies past the end of the change log"))
      #expect(try status("--from", "earliest", "--to", "FF/0") == .exited(3))
      let map = slot.directory + "/bad.yaml"
      try "states:\n  - {id: 1, code: a, status: A}\n  - {id: 1, code: b, status: B}\n".write(
        toFile: map, atomically: true, encoding: .utf8)
      let bad = try slot.replay("--from", "earliest", "--map", map)
      #expect(bad.status == .exited(78) && bad.output.contains("bad.yaml:3:"), "\(bad.output)")
      // A definition without states asks the target for its map, and says so.
      let listed = try #require(slot.definition.range(of: "    states:\n"))
      let end = try #require(slot.definition.range(of: "log:\n"))
      try (slot.definition[..<listed.lowerBound] + slot.definition[end.lowerBound...]).write(
        toFile: slot.path, atomically: true, encoding: .utf8)
      let asking = try slot.replay("--from", "earliest", source: Self.nowhere)
      #expect(asking.status == .exited(69) && asking.output.contains("--map FILE spares it"))
      #expect(try slot.replay("--from", "earliest").status == .exited(0))
    }
  }
}
