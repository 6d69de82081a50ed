import LocalCluster
import Postgres
import Testing

@Suite("The ledger", .timeLimit(.minutes(5))) struct LedgerTests {
  @Test("fixtures/ledger.sql is the schema the loader makes")
  func fixture() throws {
    let root = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
    let fixture = try ChildProcess.run(["cat", "/\(root)/fixtures/ledger.sql"])
    #expect(fixture.status.isSuccess)
    #expect(fixture.output == LedgerSchema.sql)
  }

  @Test("the eight statuses, to the byte, and where each may go")
  func statuses() {
    #expect(
      LegacyStatus.allCases.map { "\($0.rawValue) \($0) '\($0.text)' -> \($0.moves.map { "\($0.to)" })" } == [
        "1 authorized 'AUTH' -> [\"captured\", \"reversed\", \"expired\"]",
        "2 captured 'CAPTURED' -> [\"settled\", \"reversed\"]",
        "3 settled 'Settled' -> [\"refunded\", \"chargeback\"]",
        "4 declined 'DECLINED' -> []", "5 reversed 'reversed' -> []", "6 refunded 'REFUNDED' -> []",
        "7 chargeback 'CHARGE BACK' -> [\"settled\", \"refunded\"]", "8 expired 'EXPIRED' -> []",
      ])
    for status in LegacyStatus.allCases { #expect(LegacyStatus(text: status.text) == status) }
    #expect(LegacyStatus(text: "settled") == nil)
    #expect(LegacyStatus(text: "Settled ") == nil)
  }

  @Test("a load has all eight statuses, mostly settled, and the same rows every time")
  func load() throws {
    let first = try LedgerDatabase("load_first", rows: 20_000).connect()
    let second = try LedgerDatabase("load_second", rows: 20_000).connect()
    let digest = """
      SELECT md5(string_agg(concat_ws('|', id, card_token, merchant_id, amount_cents, currency, status), ',' ORDER BY id))
      FROM public.transactions
      """
    #expect(try first.query(digest, purpose: "read")[0] == second.query(digest, purpose: "read")[0])
    let shares = try first.query(
      "SELECT status, count(*) FROM public.transactions GROUP BY 1 ORDER BY 2 DESC", purpose: "read")
    #expect(shares.rowCount == 8)
    #expect(shares[0, 0] == "Settled")
    #expect((15_000...17_500).contains(try #require(shares.integer(0, 1))))
    let span = try first.query(
      "SELECT extract(day FROM max(created_at) - min(created_at)) FROM public.transactions", purpose: "read")
    #expect(span[0] == "89")
    #expect(
      try first.query(
        "INSERT INTO public.transactions (card_token, merchant_id, amount_cents, currency) VALUES ('x', 1, 1, 'EUR') "
          + "RETURNING id, status", purpose: "insert")[0] == "20001")
  }
}
