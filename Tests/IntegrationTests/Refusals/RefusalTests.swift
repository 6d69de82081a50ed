import ChangeLog
import Foundation
import LocalCluster
import PGOutput
import Postgres
import Testing

extension Integration {
  /// `crossfade run` where going on would not be safe: nothing is changed, the exit code tells the kind, and the
  /// message says what was found and what to do.
  @Suite("Refusals", .timeLimit(.minutes(5))) struct RefusalTests {
    private static let gap =
      "nothing was changed. To go on with a declared gap: `crossfade reset SLOT --accept-gap` (keeps the old log "
      + "aside, forgets the checkpoint), then `crossfade run`, then `crossfade backfill` and `crossfade verify`"

    private func expect(
      _ ledger: LedgerFixture, exits code: Int32, _ summary: String, hint: String,
      sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
      let run = try ledger.command("run", ["--log-level", "critical"])
      #expect(run.output == "crossfade: \(summary)\n  hint: \(hint)\n", sourceLocation: sourceLocation)
      #expect(run.status == .exited(code), sourceLocation: sourceLocation)
    }

    /// Runs once, so that slot, log and checkpoint are there, and ends in order.
    private func begun(_ name: String, on cluster: Cluster? = nil) throws -> LedgerFixture {
      let ledger = try LedgerFixture(name, rows: 10, on: cluster)
      let process = try ledger.expandAndStart()
      try ledger.awaitCaughtUp(process)
      #expect(process.stop() == .exited(0), "\(process.outputTail)")
      return ledger
    }

    private func watermark(_ ledger: LedgerFixture) throws -> LSN {
      try #require(try ChangeLogWriter.inspect(directory: ledger.logDirectory)).watermark
    }

    /// What 18 added: the application's own updates fail where the identity holds a generated column that is not sent.
    @Test(
      "a generated column in a FULL replica identity is published with the table, and the application goes on"
    )
    func generatedIdentity() throws {
      let ledger = try LedgerFixture("generated_identity", rows: 10)
      let session = try ledger.connect()
      try session.script(
        "ALTER TABLE public.transactions ADD COLUMN doubled bigint GENERATED ALWAYS AS (amount_cents * 2) STORED; "
          + "ALTER TABLE public.transactions REPLICA IDENTITY FULL", purpose: "change the table")
      let process = try ledger.expandAndStart()
      try session.query("UPDATE public.transactions SET status = 'Settled' WHERE id = 1", purpose: "update")
      try ledger.awaitRow("SELECT state_id = 3 FROM public.transactions WHERE id = 1", process)
      #expect(process.stop() == .exited(0))
      guard ledger.major >= 18 else { return }
      try session.query(
        "ALTER PUBLICATION \(ledger.slot) SET (publish_generated_columns = none)", purpose: "break it")
      try expect(
        ledger, exits: 3,
        "table public.transactions must not be published like this: its replica identity is FULL and holds generated "
          + "column doubled, which is not sent; the application's updates and deletes would fail",
        hint: "ALTER PUBLICATION \"\(ledger.slot)\" SET (publish_generated_columns = stored);")
      let check = try ledger.command("check")
      #expect(check.output.contains("does not send generated column doubled"), "\(check.output)")
    }

    /// What 13 and 14 get wrong (docs/supported-versions.md).
    @Test(
      "a partition laid out otherwise than its table is refused where the server would send it wrongly"
    )
    func partitionLayout() throws {
      let ledger = try LedgerFixture("partition_layout", rows: 10)
      try ledger.expand()
      let session = try ledger.connect()
      try session.script(
        """
        ALTER TABLE public.transactions RENAME TO transactions_low;
        ALTER TABLE public.transactions_low ALTER COLUMN id DROP IDENTITY;
        CREATE TABLE public.transactions (LIKE public.transactions_low INCLUDING DEFAULTS, PRIMARY KEY (id))
          PARTITION BY RANGE (id);
        ALTER TABLE public.transactions ATTACH PARTITION public.transactions_low FOR VALUES FROM (0) TO (1000);
        CREATE TABLE public.transactions_high (gone int, LIKE public.transactions_low INCLUDING DEFAULTS, PRIMARY KEY (id));
        ALTER TABLE public.transactions_high DROP COLUMN gone;
        ALTER TABLE public.transactions ATTACH PARTITION public.transactions_high FOR VALUES FROM (1000) TO (2000);
        """, purpose: "partition the table")
      let check = try ledger.command("check")
      guard ledger.major < 15 else {
        #expect(check.output.contains("pass  partitions"), "\(check.output)")
        let process = try ledger.start()
        try ledger.awaitStream(process)
        try session.query(
          "INSERT INTO public.transactions_high (id, card_token, merchant_id, amount_cents, currency, status) "
            + "VALUES (1500, 'card', 1, 1, 'EUR', 'Settled')", purpose: "insert")
        try ledger.awaitRow("SELECT state_id = 3 FROM public.transactions WHERE id = 1500", process)
        #expect(process.stop() == .exited(0))
        return
      }
      let danger =
        "has its columns in other places than the table: up to PostgreSQL 14 the server then sends rows with values in "
        + "the wrong columns, or crashes, when DDL runs beside them"
      #expect(check.output.contains("public.transactions_high \(danger)"), "\(check.output)")
      try expect(
        ledger, exits: 3, "partition public.transactions_high of public.transactions \(danger)",
        hint:
          "upgrade to PostgreSQL 15; or detach the partition and make it anew with the table's columns in the table's "
          + "places (dropped ones too: add them, then drop them)")
      #expect(try ReplicationSlot.find(ledger.slot, on: session) == nil)
    }

    @Test("a second process on the same log names the first")
    func locked() throws {
      let ledger = try LedgerFixture("locked", rows: 10)
      let process = try ledger.expandAndStart()
      func said() -> String {
        (try? String(contentsOfFile: ledger.logDirectory + "/status.json", encoding: .utf8)) ?? ""
      }
      #expect(eventually(within: .seconds(20)) { !said().isEmpty })
      try expect(
        ledger, exits: 3, "the change log \(ledger.logDirectory) is being written by process \(process.pid)",
        hint: "one process writes a log; stop the other, or give this slot a log.directory of its own")
      // What it says of itself does not stand in the place of what the first says.
      #expect(said().contains("\"pid\":\(process.pid),"), "\(said())")
      try ledger.awaitCaughtUp(process)
      #expect(process.stop() == .exited(0))
    }

    @Test(
      "13 without the right to replication origins is refused before anything is made; 14 marks by a message")
    func unmarked() throws {
      let ledger = try LedgerFixture("unmarked", rows: 10, user: "cf_unmarked")
      try ledger.expand()
      try ledger.makePlainRole(lendingMark: false)
      guard ledger.major < 14 else {
        let process = try ledger.start()
        try ledger.awaitStream(process)
        let saidSo = eventually(within: .seconds(20)) { process.output.contains("mark=message") }
        #expect(saidSo, "\(process.outputTail)")
        #expect(process.stop() == .exited(0))
        return
      }
      try expect(
        ledger, exits: 77,
        "cannot mark our writes by a replication origin, the only mark before PostgreSQL 14: only superusers can "
          + "query or manipulate replication origins (SQLSTATE 42501)",
        hint: "`crossfade check SLOT` lists the grants needed")
      let session = try ledger.connect()
      #expect(try ReplicationSlot.find(ledger.slot, on: session) == nil)
      #expect(
        try session.query("SELECT count(*) FROM crossfade.checkpoint", purpose: "look for a checkpoint")[0]
          == "0")
      #expect(try ledger.command("check").output.contains("fail  mark of our writes"))
    }

    @Test("a slot that is gone though the log exists")
    func slotMissing() throws {
      let ledger = try begun("slot_missing")
      let end = try watermark(ledger)
      try ledger.connect().query(
        "SELECT pg_drop_replication_slot($1)", [.text(ledger.slot)], purpose: "drop the slot")
      try expect(
        ledger, exits: 3,
        "replication slot \(ledger.slot) does not exist, but the change log ends at \(end): what was committed "
          + "since may be lost", hint: Self.gap)
      #expect(try ReplicationSlot.find(ledger.slot, on: ledger.connect()) == nil)
    }

    @Test("a slot that somebody moved past the log")
    func slotAhead() throws {
      let ledger = try begun("slot_ahead")
      let session = try ledger.connect()
      try session.query("UPDATE public.transactions SET updated_at = now()", purpose: "write")
      let moved = try session.query(
        "SELECT end_lsn FROM pg_replication_slot_advance($1, pg_current_wal_lsn())", [.text(ledger.slot)],
        purpose: "advance the slot")
      try expect(
        ledger, exits: 3,
        "replication slot \(ledger.slot) was confirmed up to \(moved[0] ?? ""), the change log holds everything only "
          + "up to \(watermark(ledger)): the changes between are not in it", hint: Self.gap)
    }

    @Test("a publication that was dropped")
    func publicationDropped() throws {
      let ledger = try begun("publication_dropped")
      try ledger.connect().script("DROP PUBLICATION \(ledger.slot)", purpose: "drop the publication")
      try expect(
        ledger, exits: 3,
        "publication \(ledger.slot) does not exist, though capture has begun before",
        hint:
          "changes made while it was missing may not have been sent. Create publication \(ledger.slot) again as "
          + "`crossfade check` shows it, then `crossfade reset SLOT --accept-gap` and backfill")
    }

    @Test("a table without a primary key: to publish it would break the application's updates")
    func noKey() throws {
      let ledger = try LedgerFixture(
        "no_key", schema: "CREATE TABLE public.transactions (id bigint, status text)")
      try ledger.expand()
      try expect(
        ledger, exits: 3,
        "table public.transactions must not be published: it has no primary key and no other replica identity",
        hint: "give the table a primary key, or ALTER TABLE ... REPLICA IDENTITY FULL")
      let session = try ledger.connect()
      #expect(try ReplicationSlot.find(ledger.slot, on: session) == nil)
      #expect(try session.query("SELECT count(*) FROM pg_publication", purpose: "count")[0] == "0")
    }

    @Test(
      "a publication that is dropped while its changes are streamed ends the stream, on 18 too, before a gap")
    func publicationDroppedMeanwhile() throws {
      let ledger = try LedgerFixture("publication_lost", rows: 10)
      let process = try ledger.expandAndStart()
      try ledger.awaitCaughtUp(process)
      let session = try ledger.connect()
      try session.script("DROP PUBLICATION \(ledger.slot)", purpose: "drop the publication")
      try session.script(
        "UPDATE public.transactions SET status = 'Settled' WHERE id = 1", purpose: "change a row")
      let moved = try session.query("SELECT pg_current_wal_lsn()", purpose: "ask for the position")
      #expect(process.wait(within: .seconds(30)) == .exited(3), "\(process.outputTail)")
      #expect(
        process.output.contains("publication \(ledger.slot) does not exist, though capture has begun before"))
      let slot = try ReplicationSlot.find(ledger.slot, on: session)
      #expect(try #require(slot?.confirmedFlushLSN) < #require(moved[0].flatMap { LSN($0) }))
    }

    @Test("a role without REPLICATION")
    func noReplication() throws {
      let ledger = try LedgerFixture("no_replication", rows: 10, user: "cf_reader")
      try ledger.expand()
      try ledger.connect().script(
        "CREATE ROLE cf_reader LOGIN; GRANT USAGE ON SCHEMA crossfade TO cf_reader; "
          + "GRANT SELECT ON ALL TABLES IN SCHEMA crossfade TO cf_reader", purpose: "make a role")
      try expect(
        ledger, exits: 77, "role cf_reader has not the REPLICATION attribute",
        hint: "ALTER ROLE \"cf_reader\" REPLICATION;")
    }

    @Test("a slot that another consumer reads, after ten seconds of patience")
    func slotActive() throws {
      let ledger = try begun("slot_active")
      let holder = try ChildProcess(
        [
          ledger.cluster.installation.path(of: .pgRecvlogical), "--dbname=\(ledger.conninfo)",
          "--slot=\(ledger.slot)", "--start", "--file=/dev/null", "--option=proto_version=1",
          "--option=publication_names=\(ledger.slot)",
          // Else it would confirm what it has read, and the slot would be ahead of the log.
          "--status-interval=0", "--fsync-interval=0",
        ], output: .discard, errors: .discard)
      defer { holder.stop() }
      let session = try ledger.connect()
      var reader: Int32?
      let isHeld = try eventually(within: .seconds(10)) { () throws(PostgresError) -> Bool in
        reader = try ReplicationSlot.find(ledger.slot, on: session)?.activePID
        return reader != nil
      }
      #expect(isHeld)
      let pid = try #require(reader)
      try expect(
        ledger, exits: 3, "replication slot \(ledger.slot) is being read by server process \(pid)",
        hint: "stop the other consumer; SELECT * FROM pg_stat_activity WHERE pid = \(pid) shows which it is")
    }

    @Test("wal_level = replica, then a log of another system, then a slot whose WAL the server has removed")
    func otherCluster() throws {
      let cluster = try Cluster.running(
        {
          var configuration = ClusterConfiguration()
          configuration.isDurable = false
          configuration.settings["wal_level"] = "replica"
          return configuration
        }())
      let early = try LedgerFixture("early", rows: 10, on: cluster)
      try early.expand()
      try expect(
        early, exits: 3, "wal_level is replica; a logical slot needs wal_level = logical",
        hint: "ALTER SYSTEM SET wal_level = logical; then restart the server")
      try cluster.configure(["wal_level": "logical"])
      try cluster.restart()

      try refuseOtherSystem(early)
      try refuseLostSlot(cluster)
    }

    /// A log of the shared cluster beside a database of this one.
    private func refuseOtherSystem(_ ledger: LedgerFixture) throws {
      let other = try begun("other_system")
      let copied = try ChildProcess.run(["cp", "-r", other.logDirectory, ledger.logDirectory])
      #expect(copied.status.isSuccess)
      let question = "SELECT system_identifier FROM pg_control_system()"
      let theirs = try other.connect().query(question, purpose: "ask")[0] ?? ""
      let ours = try ledger.connect().query(question, purpose: "ask")[0] ?? ""
      try ledger.makePublication()
      try expect(
        ledger, exits: 3, "the change log was written from system \(theirs), this server is system \(ours)",
        hint:
          "point source.connection at the server the log belongs to, or give this slot definition a log directory "
          + "of its own")
    }

    private func refuseLostSlot(_ cluster: Cluster) throws {
      let ledger = try begun("slot_lost", on: cluster)
      try cluster.configure(["max_slot_wal_keep_size": "1MB"])
      let session = try ledger.connect()
      let isLost = try eventually(within: .seconds(60)) { () throws(PostgresError) -> Bool in
        try session.query(
          "SELECT pg_logical_emit_message(false, 'x', repeat('x', 1000000))", purpose: "write WAL")
        try session.query("SELECT pg_switch_wal()", purpose: "switch WAL")
        try session.query("CHECKPOINT", purpose: "checkpoint")
        return try ReplicationSlot.find(ledger.slot, on: session)?.isLost == true
      }
      #expect(isLost)
      // invalidation_reason came with 17.
      let reason = ledger.major >= 17 ? "wal_removed" : "wal_status is lost"
      try expect(
        ledger, exits: 3,
        "replication slot \(ledger.slot) is lost (\(reason)): the server has removed WAL it needed",
        hint: Self.gap)
    }
  }
}
