import Foundation
import LocalCluster
import Postgres
import Testing

extension CommandTests {
  @Suite("crossfade report", .serialized, .timeLimit(.minutes(5))) struct Report {
    private static let hostile = "<script>alert(1)</script>|`x`"

    /// Expanded while somebody with a hostile name stands in the way, backfilled, verified.
    private func told(_ name: String, on cluster: Cluster? = nil) throws -> LedgerSlot {
      let slot = try LedgerSlot(name, on: cluster)
      let conninfo = slot.cluster.conninfo(database: slot.name)
      let blocker = Worker<Bool> {
        guard let session = try? Connection(conninfo, options: .init(applicationName: Self.hostile)) else {
          return false
        }
        let sql = "BEGIN; LOCK TABLE public.transactions IN ACCESS SHARE MODE; SELECT pg_sleep(2.5); COMMIT"
        return (try? session.script(sql, purpose: "stand in the way")) != nil
      }
      try #require(
        try slot.await(
          "SELECT count(*) = 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = '\(name)'"))
      try #require(try slot.crossfade("expand").status == .exited(0))
      try #require(eventually(within: .seconds(20)) { blocker.isFinished })
      try slot.start()
      // `run` writes down that it captures.
      try #require(try slot.await("SELECT phase = 'capturing' FROM crossfade.migration"))
      try slot.sql("UPDATE transactions SET status = E'<img src=x>|`y`\\u202E' WHERE id = 4")
      try #require(try slot.await("SELECT count(*) = 1 FROM crossfade.quarantine"))
      try #require(try slot.crossfade("backfill").status == .exited(0))
      try #require(try slot.crossfade("verify").status == .exited(1))
      return slot
    }

    private func withoutDate(_ text: String) -> [Substring] {
      text.split(separator: "\n", omittingEmptySubsequences: false).filter { !$0.contains("Made 20") }
    }

    @Test("the whole of an account, hostile names and all, in each form; alike but for the date")
    func forms() throws {
      let slot = try told("report_forms")
      let markdown = try slot.crossfade("report")
      #expect(markdown.status == .exited(0))
      let text = markdown.output
      for part in [
        "# Migration public.transactions.status -&gt; state_id\n", "\n**The chain of hashes holds:** ",
        "| 4 | expand.column | ", "| &lt;script&gt;alert(1)&lt;/script&gt;\\|\\`x\\` | postgres |",
        "ALTER TABLE \"public\".\"transactions\" ADD COLUMN \"state_id\" bigint",
        "&lt;img src=x&gt;\\|\\`y\\`&lt;U+202E&gt;",
        "| differences | ", "Not yet: it was never tried on a copy.", "Nothing was ever undone.",
      ] {
        #expect(text.contains(part), "\(part)")
      }
      #expect(!text.contains("<script") || text.contains("\"application\": \"<script>"))
      let again = try slot.crossfade("report").output
      #expect(withoutDate(again) == withoutDate(text))
      #expect(
        withoutDate(text).count == text.split(separator: "\n", omittingEmptySubsequences: false).count - 1)

      let file = slot.directory + "/evidence.html"
      let written = try slot.crossfade("report", more: ["--to", file])
      #expect(written.status == .exited(0))
      #expect(written.output.hasPrefix("\(file): ") && written.output.contains(" rows, ending with "))
      let page = try String(contentsOfFile: file, encoding: .utf8)
      #expect(page.hasPrefix("<!DOCTYPE html>\n") && page.hasSuffix("</html>\n"))
      for found in ["<script", "<img", "http:", "https:", "src=", "url(", "@import", "\u{202E}"] {
        // As text it may stand there, escaped; as a tag or an address never.
        #expect(!page.replacing("&lt;img src=x&gt;", with: "").contains(found), "\(found)")
      }
      #expect(page.contains("&lt;script&gt;alert(1)&lt;/script&gt;|`x`"))
      #expect(
        try FileManager.default.contentsOfDirectory(atPath: slot.directory).filter { $0.hasSuffix(".tmp") }
          == [])

      let json = try object(try slot.crossfade("report", more: ["--json"]))
      #expect(json["holds"] as? Bool == true)
      let sections = try #require(json["sections"] as? [String: [String: Any]])
      let looks = try #require(sections["verifications"]?["rows"] as? [[String: Any]])
      #expect(
        looks.count == 1 && looks[0]["rows wrong"] as? Int == 1 && looks[0]["rows looked at"] as? Int == 100)
      #expect((looks[0]["judged at"] as? String)?.contains("/") == true)
      let rows = try #require(sections["statements"]?["rows"] as? [[String: Any]])
      #expect(rows.last?["hash"] as? String == json["hash"] as? String)
      #expect(
        rows.compactMap { $0["event"] as? String } == [
          "done", "done", "done", "done", "phase", "phase", "backfilled", "verified",
        ])
    }

    @Test(
      "a role that may only read makes it; what it may not read is said; a changed trail is told, with exit code 1"
    )
    func roles() throws {
      let slot = try told("report_roles")
      try slot.sql(
        """
        CREATE ROLE report_auditor LOGIN; GRANT USAGE ON SCHEMA crossfade TO report_auditor;
        GRANT SELECT ON ALL TABLES IN SCHEMA crossfade TO report_auditor; CREATE ROLE report_stranger LOGIN;
        REVOKE SELECT ON crossfade.quarantine FROM report_auditor
        """)
      let own = try slot.crossfade("report").output
      slot.user = "report_auditor"
      let read = try slot.crossfade("report")
      #expect(read.status == .exited(0))
      #expect(read.output.contains("Not shown: this role may not read crossfade.quarantine."))
      #expect(withoutDate(read.output).count > withoutDate(own).count - 20)
      slot.user = "report_stranger"
      let refused = try slot.crossfade("report")
      #expect(refused.status == .exited(0))
      #expect(refused.output.contains("**The audit trail could not be read.**"))
      slot.user = nil
      try slot.sql("UPDATE crossfade.audit SET statement = 'SELECT 1' WHERE seq = 2")
      let broken = try slot.crossfade("report")
      #expect(broken.status == .exited(1))
      #expect(
        broken.output.contains(
          "**The chain of hashes does not hold:** row 2 was changed: its hash is not that of its content\n"))
    }

    @Test("nothing on record is said so; a file that cannot be written leaves the old one")
    func refusals() throws {
      let slot = try LedgerSlot("report_refusals")
      let early = try slot.crossfade("report")
      #expect(early.status == .exited(66))
      #expect(
        early.output == """
          crossfade: nothing is on record of slot report_refusals
            hint: `crossfade expand SLOT` begins the account; is this the right database?

          """)
      try #require(try slot.crossfade("expand").status == .exited(0))
      let lost = try slot.crossfade("report", more: ["--to", "/nonexistent/evidence.html"])
      #expect(lost.status == .exited(73))
      #expect(
        lost.output.hasPrefix(
          "crossfade: /nonexistent/evidence.html cannot be written: No such file or directory\n"))
      let both = try slot.crossfade("report", more: ["--json", "--format", "html"])
      #expect(both.status == .exited(64))
    }

    @Test("a standby tells the same") func standby() throws {
      var configuration = ClusterConfiguration()
      configuration.isDurable = false
      let primary = try Cluster.running(configuration)
      let standby = try Cluster.standby(of: primary)
      let slot = try told("report_standby", on: primary)
      try slot.stop()
      try #require(try standby.hasReplayed(primary))
      let here = try slot.crossfade("report").output
      let there = try slot.crossfade("report", more: ["--on", standby.conninfo(database: slot.name)])
      #expect(there.status == .exited(0))
      #expect(
        withoutDate(there.output.replacing("Read on a standby: what it had replayed by then.\n\n", with: ""))
          == withoutDate(here))
    }
  }
}
