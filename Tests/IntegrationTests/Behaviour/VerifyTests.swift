import ChangeLog
import Foundation
import Glibc
import LocalCluster
import PGOutput
import Postgres
import Synchronization
import Testing

extension Integration {
  /// Verification beside a dual-write at work.
  @Suite("Verification beside the stream", .timeLimit(.minutes(5))) struct VerifyTests {
    private func object(_ run: CapturedRun) throws -> [String: Any] {
      // Progress stands before it.
      let line = try #require(run.output.split(separator: "\n").last { $0.hasPrefix("{") }, "\(run.output)")
      let found = try JSONSerialization.jsonObject(with: Data(line.utf8))
      return try #require(found as? [String: Any], "\(run.output)")
    }

    private func number(_ ledger: LedgerFixture, _ sql: String) throws -> Int64 {
      try ledger.connect().query(sql, purpose: "ask").integer(0, 0) ?? 0
    }

    /// Rows that a pass has recorded as looked at.
    private func recorded(_ ledger: LedgerFixture) throws -> Int64 {
      guard try number(ledger, "SELECT count(*) FROM pg_tables WHERE tablename = 'verification'") == 1 else {
        return 0
      }
      return try number(
        ledger, "SELECT coalesce(max(rows), 0) FROM crossfade.verification WHERE slot = '\(ledger.slot)'")
    }

    @Test("thousands of small looks under traffic raise no alarm; a wrong row planted meanwhile is found")
    func underTraffic() throws {
      let seed = Seed.draw(for: "verify_traffic")
      let ledger = try LedgerFixture("verify_traffic", rows: 20_000)
      let process = try ledger.expandAndStart()
      try ledger.backfill()
      let workload = Workload(conninfo: ledger.conninfo, plan: .everyKind(seed: seed))
      workload.start()
      let brake = Brake(ledger.conninfo)
      let quiet = try object(ledger.command("verify", ["--json", "--page", "20"], within: .seconds(120)))
      // Else the test would prove nothing: there were rows on their way when they were looked at.
      #expect(try #require(quiet["settled"] as? Int) > 0)
      #expect(quiet["mismatches"] as? Int == 0 && quiet["undecided"] as? Int == 0, "\(quiet)")
      #expect(try #require(quiet["rows"] as? Int) >= 19_000)

      // The last rows loaded are looked at late; the traffic's own changes would mend a row of theirs.
      let verify = try ledger.start("verify", ["--json", "--page", "20"])
      #expect(
        try eventually(within: .seconds(60)) {
          try number(
            ledger, "SELECT coalesce(max(rows), 0) FROM crossfade.verification WHERE finished_at IS NULL")
            >= 2000
        })
      let planted = try ledger.plant(
        "UPDATE public.transactions SET state_id = 9 - state_id WHERE id = (SELECT max(id) FROM public.transactions "
          + "WHERE id <= 20000 AND status IN ('DECLINED', 'EXPIRED', 'CHARGE BACK'))  RETURNING id")
      let ended = verify.wait(within: .seconds(120))
      brake.release()
      #expect(workload.stop().errors == [:])
      #expect(ended == .exited(1), "\(verify.output)")
      #expect(
        verify.output.contains(#""mismatches":1,"by_class":{"incomplete":0,"incorrect":1,"#)
          && verify.output.contains(#""key":"[\"\#(planted)\"]""#), "\(verify.output)")
      #expect(process.stop() == .exited(0), "\(process.outputTail)")
    }

    @Test(
      "a dual-write that is held up makes suspects wait; let go, it clears them; gone, they stay undecided")
    func heldUp() throws {
      let ledger = try LedgerFixture("verify_held", rows: 3000)
      let process = try ledger.expandAndStart()
      try ledger.backfill()
      let holder = try ledger.connect()
      try holder.script("BEGIN; SELECT * FROM crossfade.checkpoint FOR UPDATE", purpose: "hold up")
      try ledger.connect().script(
        "UPDATE public.transactions SET status = 'REFUNDED' WHERE id % 10 = 0", purpose: "change rows")
      let stale = try number(
        ledger,
        "SELECT count(*) FROM public.transactions AS t JOIN public.transaction_state AS m ON m.legacy_status = t.status "
          + "WHERE t.state_id <> m.id")
      #expect(stale > 200)
      let verify = try ledger.start("verify", ["--json", "--page", "100"])
      // It has read all there is, and waits.
      #expect(
        try eventually(within: .seconds(60)) {
          try recorded(ledger) == 3000
        })
      #expect(verify.wait(within: .milliseconds(1500)) == nil)
      #expect(try number(ledger, "SELECT count(*) FROM crossfade.verification_row") == stale)
      try holder.script("ROLLBACK", purpose: "let go")
      #expect(verify.wait(within: .seconds(60)) == .exited(0), "\(verify.output)")
      #expect(
        verify.output.contains(#""mismatches":0"#) && verify.output.contains(#""settled":\#(stale),"#),
        "\(verify.output)")

      #expect(process.stop() == .exited(0))
      try ledger.connect().script(
        "UPDATE public.transactions SET status = 'DECLINED' WHERE id IN (3, 4)", purpose: "change rows")
      let undecided = try ledger.command("verify", ["--wait", "1s"])
      #expect(undecided.status == .exited(1))
      #expect(
        undecided.output.contains(
          "public.transactions: 3,000 rows looked at, none is wrong, 2 are undecided\n"),
        "\(undecided.output)")
      #expect(undecided.output.contains("let `crossfade run` catch up"))
    }

    @Test("killed again and again it looks at every row once, and keeps what it found")
    func killed() throws {
      let seed = Seed.draw(for: "verify_kills")
      var generator = SeededGenerator(seed: seed)
      let ledger = try LedgerFixture("verify_kills", rows: 20_000)
      let process = try ledger.expandAndStart()
      try ledger.backfill()
      _ = try ledger.plant(
        "UPDATE public.transactions SET state_id = NULL WHERE id IN (5, 9000) RETURNING id")
      var before: Int64 = 0
      var kills = 0
      var output = ""
      while true {
        let verify = try ledger.start("verify", ["--json", "--page", "20"])
        let goal = before + Int64.random(in: 1_000...4_000, using: &generator)
        var ended: ProcessStatus?
        _ = try eventually(within: .seconds(60)) {
          ended = verify.wait(within: .zero)
          return try ended != nil || recorded(ledger) >= goal
        }
        if let ended {
          #expect(ended == .exited(1), "\(verify.output)")
          output = verify.output
          break
        }
        verify.kill()
        kills += 1
        let rows = try recorded(ledger)
        #expect(rows >= before)
        before = rows
      }
      #expect(kills >= 3 && before > 0)
      let total = try number(ledger, "SELECT count(*) FROM public.transactions")
      #expect(output.contains(#""rows":\#(total),"#) && output.contains(#""mismatches":2,"#), "\(output)")
      #expect(output.contains(#""key":"[\"5\"]""#) && output.contains(#""key":"[\"9000\"]""#), "\(output)")
      #expect(process.stop() == .exited(0))
    }

    @Test("recent rows are those that the log says were touched within the time")
    func recent() throws {
      let ledger = try LedgerFixture("verify_recent", rows: 500)
      let process = try ledger.expandAndStart()
      try ledger.backfill()
      try ledger.connect().script(
        "UPDATE public.transactions SET status = 'REFUNDED' WHERE id <= 30", purpose: "change rows")
      try ledger.awaitCaughtUp(process)
      // Two that are wrong: one that was touched, one that was not.
      _ = try ledger.plant("UPDATE public.transactions SET state_id = NULL WHERE id IN (7, 400) RETURNING id")
      let run = try ledger.command("verify", ["--recent", "1h", "--json"])
      #expect(run.status == .exited(1))
      let found = try object(run)
      #expect(found["rows"] as? Int == 31 && found["mismatches"] as? Int == 1, "\(run.output)")
      #expect(run.output.contains(#""key":"[\"7\"]""#))
      #expect(run.output.contains("the change log begins with a commit of"))
      #expect(
        try eventually(within: .seconds(20)) {
          try object(ledger.command("verify", ["--recent", "1s", "--json"]))["rows"] as? Int == 0
        })
      #expect(process.stop() == .exited(0))
    }

    @Test(
      "watched, the table is read once; then only what the stream touches, until map or log break the chain")
    func watched() throws {
      let ledger = try LedgerFixture("verify_watch", rows: 5000)
      try ledger.expand()
      try ledger.connect().script(
        """
        CREATE FUNCTION public.swallow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
        CREATE TRIGGER swallow BEFORE UPDATE OF state_id ON public.transactions FOR EACH ROW
          WHEN (NEW.merchant_id = 4711) EXECUTE FUNCTION public.swallow();
        """, purpose: "make a trigger that swallows")
      let process = try ledger.start()
      try ledger.awaitStream(process)
      try ledger.backfill()
      let watch = try ledger.start("verify", ["--watch", "0.2", "--json"])
      func rounds() -> [[String: Any]] {
        watch.output.split(separator: "\n").compactMap {
          try? JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any]
        }
      }
      func last(_ key: String) -> Int? { rounds().last?[key] as? Int }
      #expect(eventually(within: .seconds(60)) { last("mismatches") == 0 && last("suspects") == 0 })
      let session = try ledger.connect()
      let scans = try number(ledger, "SELECT rows FROM crossfade.verification")
      try session.script(
        "UPDATE public.transactions SET status = 'REFUNDED' WHERE id <= 40", purpose: "change rows")
      let position = try #require(
        session.query("SELECT pg_current_wal_insert_lsn()", purpose: "ask")[0, 0].flatMap { LSN($0) })
      #expect(
        eventually(within: .seconds(30)) {
          (rounds().last?["through"] as? String).flatMap { LSN($0) }.map { $0 >= position } ?? false
            && last("suspects") == 0 && last("mismatches") == 0
        }, "\(watch.outputTail)")
      #expect(rounds().reduce(0) { $0 + ($1["touched"] as? Int ?? 0) } == 40)

      // A write of the applier that is swallowed; then mended by our own hand, which the log does not hold.
      try session.script(
        "INSERT INTO public.transactions (card_token, merchant_id, amount_cents, currency) VALUES ('x', 4711, 1, 'EUR')",
        purpose: "insert what is swallowed")
      #expect(eventually(within: .seconds(30)) { last("mismatches") == 1 }, "\(watch.outputTail)")
      try session.script("DROP TRIGGER swallow ON public.transactions", purpose: "swallow no more")
      _ = try ledger.plant(
        "UPDATE public.transactions SET state_id = 1 WHERE merchant_id = 4711 RETURNING id")
      #expect(eventually(within: .seconds(30)) { last("mismatches") == 0 }, "\(watch.outputTail)")
      #expect(watch.stop() == .exited(0), "\(watch.outputTail)")
      #expect(try number(ledger, "SELECT rows FROM crossfade.verification") == scans)

      // What was verified under another map is not verified.
      try session.script(
        "INSERT INTO public.transaction_state VALUES (77, 'new', 'NEW')", purpose: "change the map")
      let refused = try ledger.command("verify", ["--watch"])
      #expect(refused.status == .exited(3))
      #expect(refused.output.contains("what was verified does not count any more"), "\(refused.output)")
      #expect(process.stop() == .exited(0))
    }

    @Test("a gap in the log breaks what is verified")
    func gap() throws {
      let ledger = try LedgerFixture("verify_gap", rows: 100)
      let process = try ledger.expandAndStart()
      try ledger.backfill()
      #expect(try ledger.command("verify").status == .exited(0))
      #expect(process.stop() == .exited(0))
      try FileManager.default.removeItem(atPath: ledger.logDirectory)
      #expect(try ledger.command("reset", ["--accept-gap", "--drop-slot"]).status == .exited(0))
      try ledger.connect().script("UPDATE public.transactions SET status = 'EXPIRED'", purpose: "go unseen")
      let again = try ledger.start()
      try ledger.awaitStream(again)
      try ledger.awaitCaughtUp(again)
      let refused = try ledger.command("verify", ["--watch"])
      #expect(refused.status == .exited(3), "\(refused.output)")
      #expect(refused.output.contains("the change log begins at"), "\(refused.output)")
      #expect(again.stop() == .exited(0))
    }

    @Test("on a standby it judges by what the standby has, keeps no progress, and says so")
    func standby() throws {
      var configuration = ClusterConfiguration()
      configuration.isDurable = false
      let primary = try Cluster.running(configuration)
      let standby = try Cluster.standby(of: primary)
      let ledger = try LedgerFixture("verify_standby", rows: 2000, on: primary)
      let process = try ledger.expandAndStart()
      try ledger.backfill()
      _ = try ledger.plant("UPDATE public.transactions SET state_id = NULL WHERE id = 5 RETURNING id")
      #expect(try standby.hasReplayed(primary))
      let workload = Workload(conninfo: ledger.conninfo, plan: .everyKind(seed: 5))
      workload.start()
      let conninfo = standby.conninfo(database: ledger.database)
      let run = try ledger.command("verify", ["--on", conninfo, "--json", "--page", "50"])
      #expect(workload.stop().errors == [:])
      #expect(run.status == .exited(1))
      let found = try object(run)
      #expect(found["mismatches"] as? Int == 1 && found["undecided"] as? Int == 0, "\(run.output)")
      #expect(
        run.output.contains("no progress is kept, a run that ends early begins anew: the server is a standby")
      )
      #expect(process.stop() == .exited(0))
      try standby.stop()
      try primary.stop()
    }

    @Test("what cannot be asked is refused with a word on what can")
    func badInput() throws {
      let ledger = try LedgerFixture("verify_input", rows: 10)
      for (options, word) in [
        (["--recent", "15m", "--sample", "5"], "take one"), (["--recent", "often"], "is not a time"),
        (["--sample", "0"], "--sample takes"), (["--seed", "1"], "--seed is for --sample"),
        (["--recent", "1h", "--restart"], "--restart is for the whole table"),
        (["--page", "1"], "--page takes"),
      ] {
        let run = try ledger.command("verify", options)
        #expect(run.status == .exited(64) && run.output.contains(word), "\(run.output)")
      }
      let early = try ledger.command("verify")
      #expect(early.status != .exited(0))
      try ledger.expand()
      let noLog = try ledger.command("verify", ["--recent", "1h"])
      #expect(noLog.status == .exited(0) || noLog.status == .exited(66), "\(noLog.output)")
    }
  }
}

/// Holds the dual-write up for a moment, again and again: its checkpoint is locked.
private final class Brake: Sendable {
  private let worker: Worker<Void>
  private let released: Released

  private final class Released: Sendable {
    private let flag = Mutex(false)
    var isSet: Bool { flag.withLock { $0 } }
    func set() { flag.withLock { $0 = true } }
  }

  init(_ conninfo: String) {
    let released = Released()
    self.released = released
    worker = Worker {
      guard let session = try? Connection(conninfo, options: .init(applicationName: "brake")) else { return }
      while !released.isSet {
        _ = try? session.script(
          "BEGIN; SELECT FROM crossfade.checkpoint FOR UPDATE; SELECT pg_sleep(0.3); COMMIT",
          purpose: "hold up")
        usleep(50_000)
      }
    }
  }

  func release() {
    released.set()
    _ = eventually(within: .seconds(20)) { worker.isFinished }
  }
}

extension LedgerFixture {
  /// Changes rows behind the stream's back, as one of our own transactions would; gives the first row's first column.
  func plant(_ sql: String) throws -> String {
    let session = try connect()
    let origin = "crossfade_\(slot).backfill"
    try session.query(
      "SELECT pg_replication_origin_create($1) WHERE pg_replication_origin_oid($1) IS NULL", [.text(origin)],
      purpose: "make an origin")
    try session.query("SELECT pg_replication_origin_session_setup($1)", [.text(origin)], purpose: "take it")
    let rows = try session.query(sql, purpose: "plant")
    return rows[0, 0] ?? ""
  }
}
