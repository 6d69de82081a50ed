import LocalCluster
import Postgres
import Testing

extension Integration {
  /// Statuses that the map does not know: quarantined as they are, never guessed, never dropped.
  @Suite("Statuses outside the map", .timeLimit(.minutes(5))) struct StatusTests {
    private static let nfc = "caf\u{E9}"
    private static let nfd = "cafe\u{301}"
    private static let unknown = "the map has no such status"

    private static func insert(_ id: Int, _ status: String?) -> String {
      "INSERT INTO public.transactions (id, card_token, merchant_id, amount_cents, currency, status) "
        + "VALUES (\(id), 'x', 1, 1, 'EUR', \(status.map(SQLText.literal) ?? "NULL"));"
    }

    private func state(_ id: Int, _ ledger: LedgerFixture) throws -> String? {
      try ledger.connect().query(
        "SELECT coalesce(state_id::text, 'none') FROM public.transactions WHERE id = \(id)",
        purpose: "read a state")[0]
    }

    @Test(
      "case, spaces, NULL, the empty text and Unicode's forms are all different, and each is kept with its position"
    )
    func exact() throws {
      let ledger = try LedgerFixture("exact", rows: 0) { slot in
        slot.states.append("{id: 9, code: cafe, status: \"\(Self.nfc)\"}")
      }
      let process = try ledger.expandAndStart()
      let session = try ledger.connect()
      let statuses: [(Int, String?)] = [
        (101, nil), (102, ""), (103, " AUTH"), (104, "auth"), (105, "AUTH "), (106, Self.nfd), (107, "NULL"),
      ]
      for (id, status) in statuses {
        try session.script(Self.insert(id, status), purpose: "insert")
      }
      try session.script(Self.insert(108, Self.nfc) + Self.insert(109, "AUTH"), purpose: "insert")
      try ledger.awaitCaughtUp(process)
      #expect(process.stop() == .exited(0))
      let log = try LoggedHistory(directory: ledger.logDirectory)
      let expected = statuses.map { id, status in
        QuarantineRow(
          key: "[\"\(id)\"]", status: status, reason: Self.unknown,
          position: log.transactions.first { $0.steps.contains { $0.key == id } }.map { "\($0.commitEnd)" })
      }
      #expect(try ledger.quarantine() == expected)
      #expect(try (101...107).allSatisfy { try state($0, ledger) == "none" })
      #expect(try state(108, ledger) == "9")
      #expect(try state(109, ledger) == "1")
    }

    @Test("a later known status, a delete, a new key and a truncate release what was in quarantine")
    func released() throws {
      let ledger = try LedgerFixture("released", rows: 0)
      let process = try ledger.expandAndStart()
      let session = try ledger.connect()
      for id in 1...4 { try session.script(Self.insert(id, "who knows"), purpose: "insert") }
      try ledger.awaitRow(
        "SELECT count(*) = 4 FROM crossfade.quarantine WHERE slot = '\(ledger.slot)'", process)

      try session.script("UPDATE public.transactions SET status = 'Settled' WHERE id = 1", purpose: "mend")
      try ledger.awaitRow("SELECT state_id = 3 FROM public.transactions WHERE id = 1", process)
      #expect(try ledger.quarantine().map(\.key) == ["[\"2\"]", "[\"3\"]", "[\"4\"]"])

      try session.script("DELETE FROM public.transactions WHERE id = 2", purpose: "delete")
      try ledger.awaitRow(
        "SELECT count(*) = 2 FROM crossfade.quarantine WHERE slot = '\(ledger.slot)'", process)
      #expect(try ledger.quarantine().map(\.key) == ["[\"3\"]", "[\"4\"]"])

      try session.script("UPDATE public.transactions SET id = 1003 WHERE id = 3", purpose: "change a key")
      try ledger.awaitRow(
        "SELECT count(*) = 1 FROM crossfade.quarantine WHERE slot = '\(ledger.slot)' AND key = '[\"1003\"]'",
        process)
      #expect(try ledger.quarantine().map(\.key) == ["[\"1003\"]", "[\"4\"]"])
      try session.script(
        "UPDATE public.transactions SET id = 2003, status = 'REFUNDED' WHERE id = 1003",
        purpose: "change a key")
      try ledger.awaitRow("SELECT state_id = 6 FROM public.transactions WHERE id = 2003", process)
      #expect(try ledger.quarantine().map(\.key) == ["[\"4\"]"])

      try session.script("TRUNCATE public.transactions", purpose: "truncate")
      try ledger.awaitRow(
        "SELECT NOT EXISTS (SELECT FROM crossfade.quarantine WHERE slot = '\(ledger.slot)')", process)
      try session.script(Self.insert(5, "AUTH"), purpose: "insert")
      try ledger.awaitRow("SELECT state_id = 1 FROM public.transactions WHERE id = 5", process)
      #expect(process.stop() == .exited(0))
    }

    @Test("a state that is added to the map later is used at once, and releases its rows when they change")
    func added() throws {
      let ledger = try LedgerFixture("added", rows: 0)
      let process = try ledger.expandAndStart()
      let session = try ledger.connect()
      try session.script(Self.insert(1, "HELD"), purpose: "insert")
      try ledger.awaitRow(
        "SELECT count(*) = 1 FROM crossfade.quarantine WHERE slot = '\(ledger.slot)'", process)
      try session.script(
        "INSERT INTO public.transaction_state VALUES (9, 'held', 'HELD')", purpose: "add a state")
      try session.script(Self.insert(2, "HELD"), purpose: "insert")
      try ledger.awaitRow("SELECT state_id = 9 FROM public.transactions WHERE id = 2", process)
      try session.script("UPDATE public.transactions SET updated_at = now() WHERE id = 1", purpose: "touch")
      try ledger.awaitRow("SELECT state_id = 9 FROM public.transactions WHERE id = 1", process)
      #expect(process.stop() == .exited(0))
      #expect(try ledger.quarantine() == [])
    }

    @Test("one row that a trigger refuses is quarantined in the trigger's words, and the others go on")
    func poison() throws {
      let ledger = try LedgerFixture("poison", rows: 0)
      try ledger.expand()
      let session = try ledger.connect()
      try session.script(
        """
        CREATE FUNCTION public.refuse() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION 'transaction % is frozen', NEW.id; END $$;
        CREATE TRIGGER refuse BEFORE UPDATE ON public.transactions FOR EACH ROW WHEN (NEW.id = 37)
          EXECUTE FUNCTION public.refuse()
        """, purpose: "make a trigger")
      let process = try ledger.start()
      try ledger.awaitStream(process)
      try session.script(
        "BEGIN;" + (1...100).map { Self.insert($0, "AUTH") }.joined() + "COMMIT", purpose: "insert")
      try ledger.awaitRow("SELECT count(*) = 99 FROM public.transactions WHERE state_id = 1", process)
      try session.script(Self.insert(101, "AUTH"), purpose: "insert")
      try ledger.awaitRow("SELECT state_id = 1 FROM public.transactions WHERE id = 101", process)
      let held = try ledger.quarantine()
      #expect(held.map(\.key) == ["[\"37\"]"])
      #expect(held.first?.reason == "transaction 37 is frozen (SQLSTATE P0001)")
      #expect(try state(37, ledger) == "none")
      #expect(process.stop() == .exited(0))
    }
  }
}
