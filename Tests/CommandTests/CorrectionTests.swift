import Foundation
import LocalCluster
import Postgres
import Testing

extension CommandTests {
  /// Before 14 there are no logical messages, and so no corrections: rows are released and repaired all the same.
  @Suite("Corrections at a subscriber", .serialized) struct Corrections {
    private static let type = "transaction.state.corrected"

    /// Lines of `crossfade events` of the whole log.
    private func lines(_ slot: LedgerSlot, _ options: String...) throws -> [String] {
      let run = try slot.crossfade("events", more: options)
      try #require(run.status == .exited(0), "\(run.output)")
      return run.output.lines.filter { $0.hasPrefix("{") }.map { String($0) }
    }

    private func events(_ slot: LedgerSlot, _ options: String...) throws -> [Event] {
      let run = try slot.crossfade("events", more: options)
      try #require(run.status == .exited(0), "\(run.output)")
      return try objects(run).map { try #require(Event($0)) }
    }

    @Test(
      "each row that a retry releases gives one event, though run and the retry are killed; a forged one gives none"
    )
    func retried() throws {
      let port = try LoopbackPort.free()
      let slot = try LedgerSlot(
        "corrected_retry", more: "write: {batch: 7}\nserve: {listen: \"127.0.0.1:\(port)\"}\n")
      try #require(try slot.crossfade("expand").status == .exited(0))
      try slot.start()
      try slot.sql("UPDATE transactions SET status = 'new' WHERE id <= 20")
      for id in 21...32 { try slot.sql("UPDATE transactions SET status = 'new' WHERE id = \(id)") }
      try #require(try slot.await("SELECT count(*) = 32 FROM crossfade.quarantine"))
      try slot.stop(SIGKILL)
      try slot.start()
      // What tells its own state, or went, needs no correction.
      try slot.sql(
        "UPDATE transactions SET status = 'CAPTURED' WHERE id = 31; DELETE FROM transactions WHERE id = 32")
      try #require(try slot.await("SELECT count(*) = 30 FROM crossfade.quarantine"))
      try slot.sql("INSERT INTO transaction_state VALUES (9, 'new', 'new')")
      try forge(slot)
      try killRetry(slot)
      try slot.stop(SIGKILL)
      let rest = try slot.crossfade("quarantine", "retry")
      #expect(rest.status == .exited(0) && rest.output.hasSuffix(" 0 remain\n"), "\(rest.output)")
      #expect(try slot.crossfade("quarantine", "retry").output == "0 rows tried: 0 released, 0 remain\n")
      try slot.start()
      try slot.awaitApplied()

      let all = try events(slot)
      #expect(all.map(\.position) == all.map(\.position).sorted { $0.lexicographicallyPrecedes($1) })
      #expect(Set(all.map(\.id)).count == all.count)
      let corrected = all.filter { $0.type == Self.type }
      guard slot.hasMessages else { return #expect(corrected.isEmpty) }
      #expect(corrected.map(\.subject).sorted() == (1...30).map { "\($0)" }.sorted())
      for event in corrected {
        let first = try #require(all.first { $0.subject == event.subject && $0.status == "new" })
        // The quarantine has where the transaction ends, or where its commit begins when a batch was full before that came.
        let corrects = try #require(event.corrects)
        #expect(corrects == first.lsn || first.id.hasPrefix(corrects + "."))
        #expect(event.state == "9 new" && event.status == "new" && event.cause == "quarantine")
        // It is the last that is said of the row, and comes after what it corrects.
        #expect(all.last { $0.subject == event.subject } == event)
      }
      let printed = try lines(slot, "--type", Self.type)
      #expect(printed.count == 30)
      #expect(
        try served(port, "after=earliest&limit=10000&type=\(Self.type)") == printed)
      #expect(
        try served(port, "after=\(corrected[3].id)&limit=10000&type=\(Self.type)") == Array(printed[4...]))
      #expect(try lines(slot, "--state", "new", "--key", "7", "--type", Self.type).count == 1)
      #expect(try slot.crossfade("log", "verify").status == .exited(0))
      let history = try slot.crossfade("log", "cat")
      #expect(history.status == .exited(0), "\(history.output)")
      try slot.stop()
    }

    /// Messages that look like ours, in transactions that are not.
    private func forge(_ slot: LedgerSlot) throws {
      let content = #"{"cause":"quarantine","key":["7"],"state":"8","code":"expired","status":"EXPIRED"}"#
      let emit = "SELECT pg_logical_emit_message(true, 'crossfade.correction', '\(content)')"
      try slot.sql(emit)
      try slot.sql("SELECT pg_logical_emit_message(false, 'crossfade.correction', '\(content)')")
      try slot.sql("SELECT pg_logical_emit_message(true, 'crossfade.correction', '{')")
      try slot.sql(
        "BEGIN; \(emit); SELECT pg_logical_emit_message(true, 'crossfade', '\(slot.name)'); COMMIT")
      try slot.sql("BEGIN; SELECT pg_logical_emit_message(true, 'crossfade', 'other'); \(emit); COMMIT")
      try slot.sql("BEGIN; UPDATE transactions SET status = 'AUTH' WHERE id = 50; \(emit); COMMIT")
    }

    /// Kills a retry when a part is committed, and it waits in the middle of a batch.
    private func killRetry(_ slot: LedgerSlot) throws {
      let holder = try slot.connect()
      try holder.script(
        "BEGIN; SELECT FROM crossfade.quarantine WHERE key = '[\"29\"]' FOR UPDATE", purpose: "hold a row")
      let retry = try ChildProcess(
        [try CrossfadeBinary.path(), "quarantine", "retry", slot.path], environment: slot.environment,
        output: .discard, errors: .discard)
      try #require(
        try slot.await(
          """
          SELECT (SELECT count(*) < 20 FROM crossfade.quarantine) AND EXISTS (
            SELECT FROM pg_stat_activity WHERE application_name = 'crossfade quarantine \(slot.name)'
               AND wait_event_type = 'Lock')
          """))
      retry.stop(SIGKILL)
      try #require(
        try slot.await(
          """
          SELECT NOT EXISTS (
            SELECT FROM pg_stat_activity WHERE application_name = 'crossfade quarantine \(slot.name)')
          """))
      try holder.script("ROLLBACK", purpose: "let go")
    }

    private func served(_ port: UInt16, _ query: String) throws -> [String] {
      let run = try ChildProcess.run(
        ["curl", "-s", "--fail", "http://127.0.0.1:\(port)/v1/events?\(query)"], within: .seconds(30))
      try #require(run.status == .exited(0), "\(run.output)")
      return run.output.lines.map { String($0) }
    }

    @Test("a retry that is streamed before it commits gives them, too")
    func streamed() throws {
      let slot = try LedgerSlot("corrected_streamed", rows: 1500)
      if slot.hasMessages {
        try (slot.definition + "stream: {streaming: true}\n").write(
          toFile: slot.path, atomically: true, encoding: .utf8)
      }
      try slot.sql("ALTER DATABASE corrected_streamed SET logical_decoding_work_mem = '64kB'")
      try #require(try slot.crossfade("expand").status == .exited(0))
      try slot.start()
      try slot.sql("UPDATE transactions SET status = 'n''é\"\\' WHERE id <= 1400")
      try #require(try slot.await("SELECT count(*) = 1400 FROM crossfade.quarantine"))
      try slot.sql("INSERT INTO transaction_state VALUES (9, 'new', 'n''é\"\\')")
      #expect(
        try slot.crossfade("quarantine", "retry").output == "1,400 rows tried: 1,400 released, 0 remain\n")
      try slot.awaitApplied()
      let corrected = try events(slot, "--type", Self.type)
      #expect(corrected.count == (slot.hasMessages ? 1400 : 0))
      #expect(Set(corrected.map(\.subject)).count == corrected.count)
      #expect(corrected.allSatisfy { $0.status == "n'é\"\\" && $0.state == "9 new" })
      if slot.hasMessages {
        let streams = try slot.sql(
          "SELECT stream_txns > 1 FROM pg_stat_replication_slots WHERE slot_name = '\(slot.name)'")
        #expect(streams == "t")
      }
      try slot.stop()
    }

    @Test(
      "a row that somebody holds is not told of: what he does with it comes after, or before, never between")
    func held() throws {
      let slot = try LedgerSlot.running("corrected_held")
      try slot.sql("UPDATE transactions SET status = 'new' WHERE id IN (1, 2)")
      try #require(try slot.await("SELECT count(*) = 2 FROM crossfade.quarantine"))
      try slot.sql("INSERT INTO transaction_state VALUES (9, 'new', 'new')")
      // Right already, and nobody is there to see it: nothing is left to write.
      try slot.stop()
      try slot.hidden("UPDATE transactions SET state_id = 9 WHERE id IN (1, 2)")
      let application = try slot.connect()
      try application.script(
        "BEGIN; UPDATE transactions SET status = 'AUTH' WHERE id = 1", purpose: "hold a row")
      let retry = try slot.crossfade("quarantine", "retry")
      #expect(retry.output == "2 rows tried: 1 released, 1 remain\n")
      try application.script("COMMIT", purpose: "commit")
      try slot.start()
      try #require(try slot.await("SELECT count(*) = 0 FROM crossfade.quarantine"))
      try slot.awaitApplied()
      #expect(
        try events(slot, "--type", Self.type).map(\.subject) == (slot.hasMessages ? ["2"] : []))
      try slot.stop()
    }

    @Test(
      "under traffic, while the map learns one status after the other, the last event of each row is what it is"
    )
    func order() async throws {
      let slot = try LedgerSlot.running("corrected_order")
      let statuses = ["AUTH", "new1", "new2", "new3", "new4"]
      let writer = slot.traffic(milliseconds: 5000, statuses: statuses, pauseMicroseconds: 2000)
      for number in 1...4 {
        _ = try slot.await("SELECT count(*) > 10 FROM crossfade.quarantine", within: .seconds(2))
        try slot.sql("INSERT INTO transaction_state VALUES (\(8 + number), 'new\(number)', 'new\(number)')")
        for _ in 0..<3 { #expect(try slot.crossfade("quarantine", "retry").output.hasSuffix("remain\n")) }
      }
      #expect(try await writer.value.get() > 100)
      try slot.awaitApplied()
      #expect(try slot.crossfade("quarantine", "retry").status == .exited(0))
      try slot.awaitApplied()
      var last: [String: Event] = [:]
      let all = try events(slot)
      for event in all { last[event.subject] = event }
      #expect(all.contains { $0.type == Self.type } == slot.hasMessages)
      let rows = try slot.connect().query(
        "SELECT id::text, status, state_id::text FROM transactions", purpose: "read the rows")
      for row in 0..<rows.rowCount {
        guard let event = last[rows[row, 0] ?? ""] else { continue }
        #expect(event.status == rows[row, 1])
        // What the definition's map does not know is told by corrections alone.
        if let state = event.state?.split(separator: " ").first { #expect(String(state) == rows[row, 2]) }
      }
      try slot.stop()
    }

    @Test("each row that a replay repairs gives one event, with what it held, though the replay is killed")
    func repaired() throws {
      let slot = try LedgerSlot.running("corrected_replay")
      for start in stride(from: 1, to: 31, by: 10) {
        try slot.sql("UPDATE transactions SET status = 'CAPTURED' WHERE id BETWEEN \(start) AND \(start + 9)")
      }
      try slot.awaitApplied()
      try slot.stop()
      try slot.hidden("UPDATE transactions SET state_id = CASE WHEN id % 2 = 0 THEN 5 END WHERE id <= 30")
      let before = try events(slot)
      let arguments = ("--from", "earliest", "--apply", "--yes", "--batch", "10")
      let killed = try slot.replay(
        arguments.0, arguments.1, arguments.2, arguments.3, arguments.4, arguments.5,
        failPoint: "applied-before-commit:2")
      #expect(killed.status == .signalled(SIGKILL), "\(killed.output)")
      let resumed = try slot.replay(
        arguments.0, arguments.1, arguments.2, arguments.3, arguments.4, arguments.5)
      #expect(resumed.status == .exited(0), "\(resumed.output)")
      try slot.start()
      try slot.awaitApplied()
      let corrected = try events(slot, "--type", Self.type)
      guard slot.hasMessages else { return #expect(corrected.isEmpty) }
      #expect(corrected.compactMap { Int($0.subject) }.sorted() == Array(1...30))
      for event in corrected {
        #expect(event.state == "2 captured" && event.status == "CAPTURED" && event.cause == "replay")
        #expect(event.previous == (Int(event.subject)?.isMultiple(of: 2) == true ? "5 reversed" : nil))
        #expect(event.corrects == before.last { $0.subject == event.subject }?.id)
      }
      try slot.stop()
    }
  }
}

/// An event, as far as it is looked at.
private struct Event: Equatable {
  var id: String
  var type: String
  var subject: String
  var state: String?
  var status: String?
  var previous: String?
  var cause: String?
  var corrects: String?
  /// Where the commit record begins.
  var lsn: String

  /// The id as numbers that can be compared.
  var position: [UInt64] {
    id.split { $0 == "/" || $0 == "." }.enumerated().compactMap { UInt64($1, radix: $0 < 2 ? 16 : 10) }
  }

  init?(_ object: [String: Any]) {
    guard let id = object["id"] as? String, let type = object["type"] as? String,
      let data = object["data"] as? [String: Any], let lsn = data["lsn"] as? String
    else { return nil }
    (self.id, self.type, self.lsn, subject) = (id, type, lsn, object["subject"] as? String ?? "")
    func state(_ value: Any?) -> String? {
      guard let value = value as? [String: String], let id = value["id"], let code = value["code"] else {
        return nil
      }
      return "\(id) \(code)"
    }
    self.state = state(data["state"])
    status = data["status"] as? String
    previous = state((data["previous"] as? [String: Any])?["state"])
    cause = data["cause"] as? String
    corrects = data["corrects"] as? String
  }
}
