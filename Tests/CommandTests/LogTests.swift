import Foundation
import LocalCluster
import PGOutput
import Testing

extension CommandTests {
  @Suite("crossfade log", .serialized) struct Log {
    /// A slot whose log holds the life of the ledger's transaction 7, among others.
    private func ledger(_ name: String) throws -> LedgerSlot {
      let slot = try LedgerSlot(name)
      try #require(try slot.crossfade("expand").status == .exited(0))
      try slot.start()
      for statement in [
        "UPDATE transactions SET status = 'AUTH' WHERE id = 7",
        "UPDATE transactions SET status = 'CAPTURED' WHERE id IN (6, 7, 8)",
        "UPDATE transactions SET status = 'CAPTURED' WHERE id = 7",
        "UPDATE transactions SET status = E'it''s\\nnew' WHERE id = 7",
        "DELETE FROM ledger_audit; DELETE FROM transactions WHERE id = 7",
      ] {
        try slot.sql(statement)
      }
      try slot.sql("UPDATE transactions SET status = 'Settled' WHERE id = 9")
      try #require(try slot.await("SELECT state_id = 3 FROM transactions WHERE id = 9"))
      try slot.stop()
      return slot
    }

    private func run(_ arguments: String..., in slot: LedgerSlot) throws -> CapturedRun {
      try ChildProcess.run(
        [try CrossfadeBinary.path(), "log"] + arguments, environment: slot.environment, within: .seconds(60))
    }

    private func shell(_ script: String, in slot: LedgerSlot) throws -> CapturedRun {
      try ChildProcess.run(
        [
          "bash", "-c",
          "set -o pipefail; crossfade='\(try CrossfadeBinary.path())'; log='\(slot.log)'; \(script)",
        ],
        environment: slot.environment, within: .seconds(60))
    }

    private func segment(of slot: LedgerSlot) throws -> String {
      let names = try FileManager.default.contentsOfDirectory(atPath: slot.log).filter {
        $0.hasSuffix(".lz4")
      }
      return "\(slot.log)/\(try #require(names.sorted().first))"
    }

    @Test("ls and info tell what there is, by directory and by definition")
    func listed() throws {
      let slot = try ledger("log_listed")
      let list = try object(try run("ls", slot.log, "--json", in: slot))
      let segments = try #require(list["segments"] as? [[String: Any]])
      #expect(segments.count == 1)
      #expect(segments[0]["sealed"] as? Bool == false)
      #expect(segments[0]["timeline"] as? Int == 1)
      let text = try run("ls", slot.path, in: slot)
      #expect(text.status == .exited(0))
      #expect(text.output.hasPrefix("segment"))
      #expect(text.output.contains(try #require(segments[0]["file"] as? String)))
      let info = try object(try run("info", slot.path, "--json", in: slot))
      #expect(info["slot"] as? String == "log_listed")
      #expect(info["transactions"] as? Int == segments[0]["transactions"] as? Int)
      #expect(info["end"] as? String == segments[0]["end"] as? String)
      let lines = try run("info", slot.log, in: slot).output.lines
      #expect(lines.contains("slot          log_listed"))
    }

    @Test("cat prints what decode prints, or lines for people, of all or a range")
    func printed() throws {
      let slot = try ledger("log_printed")
      let json = try run("cat", slot.log, "--json", in: slot)
      #expect(json.status == .exited(0))
      let decoded = try shell("cat \"$log\"/*.lz4 | lz4 -dc | $crossfade decode -", in: slot)
      #expect(json.output == decoded.output && !json.output.isEmpty)
      let ends = try json.output.lines.map { line in
        let found = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
        return try #require(found?["end_lsn"] as? String)
      }
      try #require(ends.count >= 6)
      let range = try run("cat", slot.log, "--from", ends[1], "--to", ends[3], "--json", in: slot)
      #expect(range.output.lines == Array(json.output.lines[2...3]))
      let text = try run("cat", slot.log, in: slot).output.lines
      #expect(text.count { !$0.hasPrefix(" ") } == ends.count)
      #expect(
        text.contains { $0.contains("update  public.transactions") && $0.contains("status='it''s\\nnew'") })
      #expect(text.contains { $0.hasPrefix("  0  delete  public.transactions  key (id='7')") })
      let first = try run("cat", slot.log, "--from", ends[1], "--to", ends[2], in: slot)
      #expect(first.output.hasPrefix("\(ends[2])  20"))
      // A reader that has seen enough is no failure.
      #expect(
        try shell("$crossfade log cat \"$log\" | head -c 1 > /dev/null; exit ${PIPESTATUS[0]}", in: slot)
          .status == .exited(0))
    }

    @Test("verify: sound, then damage by file, byte and position; nothing there, and a wrong command line")
    func verified() throws {
      let slot = try ledger("log_verified")
      let sound = try run("verify", slot.path, in: slot)
      #expect(sound.status == .exited(0))
      #expect(sound.output.hasPrefix("sound: 1 segment, "))
      let path = try segment(of: slot)
      var bytes = try #require(FileManager.default.contents(atPath: path))
      bytes[bytes.count / 2] ^= 1
      try bytes.write(to: URL(fileURLWithPath: path))
      let damaged = try run("verify", slot.log, in: slot)
      #expect(damaged.status == .exited(1))
      #expect(
        damaged.output.contains(try Regex("damage: .*\\.lz4 at byte [0-9]+, after [0-9A-F]+/[0-9A-F]+: ")))
      let report = try object(try run("verify", slot.log, "--json", in: slot))
      #expect(report["sound"] as? Bool == false)
      let problem = try #require((report["problems"] as? [[String: Any]])?.first)
      #expect(problem["file"] as? String == path)
      #expect(try #require(problem["byte"] as? Int) <= bytes.count / 2)
      #expect((problem["after"] as? String).flatMap { LSN($0) } != nil)
      // What is whole before it is printed; then the damage is named.
      let printed = try run("cat", slot.log, "--json", in: slot)
      #expect(printed.status == .exited(65))
      #expect(printed.output.contains("is damaged at byte"))
      #expect(try run("verify", slot.directory + "/nothing", in: slot).status == .exited(66))
      #expect(try run("verify", slot.directory, in: slot).status == .exited(66))
      #expect(try run("cat", slot.log, "--from", "x", in: slot).status == .exited(64))
      #expect(try run("cat", slot.log, "--from", "0/2", "--to", "0/1", in: slot).status == .exited(64))
      #expect(try run("cat", slot.log, "--from", "0/1", in: slot).status == .exited(3))
    }

    @Test("history: the life of one row, state by state")
    func history() throws {
      let slot = try ledger("log_history")
      let life = try object(try run("history", slot.path, "--key", "7", "--json", in: slot))
      let steps = try #require(life["history"] as? [[String: Any]])
      #expect(steps.compactMap { $0["change"] as? String } == ["update", "update", "update", "delete"])
      #expect(steps.map { $0["status"] as? String } == ["AUTH", "CAPTURED", "it's\nnew", nil])
      #expect(steps.map { $0["state"] as? String } == ["authorized", "captured", nil, nil])
      #expect(steps.allSatisfy { $0["xid"] is Int && $0["commit_time"] is String })
      let all = try run("history", slot.path, "--key", "7", "--all", in: slot).output.lines
      #expect(all.count == 1 + 5)
      #expect(all[1].contains("'AUTH'") && all[1].hasSuffix("authorized"))
      let nobody = try run("history", slot.path, "--key", "4711", in: slot)
      #expect(nobody.status == .exited(1))
      #expect(nobody.output == "the log holds no change of public.transactions with the key 4711\n")
      #expect(try run("history", slot.path, "--key", "7", "--key", "8", in: slot).status == .exited(64))
    }

    @Test(
      "a range that goes past the log's end is given as far as it goes, and said; a directory is no recording"
    )
    func pastTheEnd() throws {
      let slot = try ledger("log_past")
      let whole = try run("cat", slot.log, in: slot)
      let past = try run("cat", slot.log, "--to", "FFFF/0", in: slot)
      #expect(past.status == .exited(0) && past.output.hasPrefix(whole.output))
      #expect(past.output.contains("--to FFFF/0 lies beyond it"))
      #expect(!whole.output.contains("beyond"))
      #expect(try shell("$crossfade decode \"$log\"", in: slot).status == .exited(66))
    }

    @Test("export: one file that lz4 and decode read, and that is a log by itself")
    func exported() throws {
      let slot = try ledger("log_exported")
      let all = try run("cat", slot.log, "--json", in: slot).output.lines
      let ends = try all.map { line in
        let found = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
        return try #require(found?["end_lsn"] as? String)
      }
      let file = slot.directory + "/part.lz4"
      let export = try run("export", slot.path, file, "--from", ends[1], "--to", ends[4], in: slot)
      #expect(export.status == .exited(0), "\(export.output)")
      #expect(export.output.hasPrefix("\(file): 3 transactions, "))
      let decoded = try shell("lz4 -dc '\(file)' | $crossfade decode -", in: slot)
      #expect(decoded.status == .exited(0))
      #expect(decoded.output.lines == Array(all[2...4]))
      let name = try #require(export.output.lines.first?.split(separator: " ").last)
      let alone = slot.directory + "/alone"
      try FileManager.default.createDirectory(atPath: alone, withIntermediateDirectories: true)
      try FileManager.default.copyItem(atPath: file, toPath: "\(alone)/\(name)")
      #expect(try run("verify", alone, in: slot).status == .exited(0))
      #expect(try run("cat", alone, "--json", in: slot).output.lines == Array(all[2...4]))
      #expect(try run("export", slot.path, file, in: slot).status == .exited(73))
      #expect(
        try run("export", slot.path, slot.directory + "/nowhere/part.lz4", in: slot).status == .exited(73))
      let left = try FileManager.default.contentsOfDirectory(atPath: slot.directory)
      #expect(!left.contains { $0.contains("making") })
    }
  }
}

extension String {
  /// Its lines, without their ends.
  var lines: [String] { split(separator: "\n" as Character).map { String($0) } }
}
