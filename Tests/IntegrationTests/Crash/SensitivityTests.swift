import LocalCluster
import PGOutput
import Postgres
import Testing

extension Integration {
  /// What judges the crash tests must itself be able to fail.
  @Suite("The judges can say no", .timeLimit(.minutes(5))) struct SensitivityTests {
    private static let log = LoggedHistory([
      .init(
        xid: 10, commitEnd: LSN(rawValue: 100),
        steps: [.init(kind: .insert, key: 1, status: "AUTH"), .init(kind: .insert, key: 2, status: "AUTH")]),
      .init(xid: 12, commitEnd: LSN(rawValue: 200), steps: [.init(kind: .move, key: 1, status: "CAPTURED")]),
      .init(xid: 11, commitEnd: LSN(rawValue: 300), steps: [.init(kind: .delete, key: 1, status: nil)]),
    ])

    private static let audit = AuditedHistory(
      log.transactions.flatMap { transaction in
        transaction.steps.map { .init(xid: transaction.xid, step: $0) }
      })

    private func judge(_ change: (inout [LoggedHistory.Transaction]) -> Void) -> [String] {
      var log = Self.log
      change(&log.transactions)
      return ExactlyOnce(log: log, audit: Self.audit).findings
    }

    @Test("a log that tells the audit's story has no findings")
    func same() { #expect(judge { _ in } == []) }

    @Test("a transaction cut out of the log is missed")
    func cutOut() {
      #expect(
        judge { $0.remove(at: 1) } == [
          "missing from the log: transaction 12: [move 1 CAPTURED]",
          "row's history differs: id 1: log [insert 1 AUTH, delete 1 -], "
            + "audit [insert 1 AUTH, move 1 CAPTURED, delete 1 -]",
        ])
    }

    @Test("a transaction that is in the log twice is found")
    func doubled() {
      #expect(
        judge { log in
          var again = log[1]
          again.commitEnd = LSN(rawValue: 400)
          log.append(again)
        } == [
          "twice in the log: transaction 12 again at 0/190",
          "row's history differs: id 1: log [insert 1 AUTH, move 1 CAPTURED, delete 1 -, move 1 CAPTURED], "
            + "audit [insert 1 AUTH, move 1 CAPTURED, delete 1 -]",
        ])
    }

    @Test("a swallowed change, a foreign transaction and a swapped order are found")
    func others() {
      #expect(
        judge { $0[0].steps.removeLast() } == [
          "changes differ: transaction 10: log [insert 1 AUTH], audit [insert 1 AUTH, insert 2 AUTH]",
          "row's history differs: id 2: log [], audit [insert 2 AUTH]",
        ])
      #expect(
        judge { $0.append(.init(xid: 99, commitEnd: LSN(rawValue: 500))) } == [
          "not in the audit: transaction 99 at 0/1F4: []"
        ])
      #expect(
        judge { $0.swapAt(1, 2) } == [
          "out of order: 0/C8 after 0/12C",
          "row's history differs: id 1: log [insert 1 AUTH, delete 1 -, move 1 CAPTURED], "
            + "audit [insert 1 AUTH, move 1 CAPTURED, delete 1 -]",
        ])
    }

    @Test(
      "on a real ledger, a spoiled state, a change behind the audit's back and an entry nobody made are found"
    )
    func real() throws {
      let ledger = try LedgerFixture("sensitivity", rows: 50)
      let process = try ledger.expandAndStart()
      try ledger.backfill()
      let sentinel = try ledger.awaitCaughtUp(process)
      #expect(process.stop() == .exited(0))
      let session = try ledger.connect()
      #expect(try Oracle(.derived()).judge(session).isClean)
      func compared() throws -> [String] {
        try ExactlyOnce(log: LoggedHistory(directory: ledger.logDirectory), audit: AuditedHistory(session))
          .findings
      }
      #expect(try compared() == [])

      // An applier that writes the wrong state.
      try session.query(
        "UPDATE public.transactions SET state_id = 8 WHERE id = $1", [.integer(sentinel)],
        purpose: "spoil a state")
      #expect(
        try Oracle(.derived()).judge(session).findings.map(\.description) == [
          "state wrong: 1 row (id \(sentinel))"
        ])
      // A log without a transaction that committed: the process was not there, and the slot has not been read since.
      try session.script(
        "INSERT INTO public.ledger_audit (transaction_id, status, op) VALUES (\(sentinel), 'CAPTURED', 'move')",
        purpose: "invent an entry")
      #expect(
        try Oracle(.derived()).judge(session).findings.map(\.description) == [
          "status differs from the audit: 1 row (id \(sentinel))", "state wrong: 1 row (id \(sentinel))",
        ])
      let findings = try compared()
      #expect(findings.count == 2)
      #expect(findings.first?.hasSuffix("[move \(sentinel) CAPTURED]") == true)
      #expect(findings.first?.hasPrefix("missing from the log: transaction ") == true)
    }

    @Test(
      "on a real ledger, one write of the applier that is swallowed is found, by the oracle and by verify")
    func swallowed() throws {
      let ledger = try LedgerFixture("swallowed", rows: 50)
      try ledger.expand()
      try ledger.connect().script(
        """
        CREATE FUNCTION public.swallow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
        CREATE TRIGGER swallow BEFORE UPDATE OF state_id ON public.transactions FOR EACH ROW
          WHEN (NEW.card_token = 'sentinel' AND NEW.id = 51) EXECUTE FUNCTION public.swallow();
        """, purpose: "make a trigger that swallows")
      let process = try ledger.start()
      try ledger.awaitStream(process)
      try ledger.backfill()
      try ledger.connect().script(
        """
        WITH changed AS (
          INSERT INTO public.transactions (card_token, merchant_id, amount_cents, currency)
          VALUES ('sentinel', 0, 1, 'EUR') RETURNING id, status)
        INSERT INTO public.ledger_audit (transaction_id, status, op) SELECT id, status, 'insert' FROM changed
        """, purpose: "insert what is swallowed")
      try ledger.awaitCaughtUp(process)
      #expect(
        try Oracle(.derived()).judge(ledger.connect()).findings.map(\.description) == [
          "state missing: 1 row (id 51)"
        ])
      let verified = try ledger.command("verify")
      #expect(verified.status == .exited(1))
      #expect(
        verified.output.contains(#/\["51"\] +incomplete +'AUTH' +NULL +[0-9A-F]+/[0-9A-F]+/#),
        "\(verified.output)")
      #expect(process.stop() == .exited(0))
    }
  }
}
