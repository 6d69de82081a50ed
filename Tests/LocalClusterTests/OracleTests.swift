import LocalCluster
import Postgres
import Testing

@Suite("The oracle", .timeLimit(.minutes(5))) struct OracleTests {
  private static func expand(_ connection: Connection) throws {
    let rows = LegacyStatus.allCases.map { "(\($0.rawValue), '\($0)', '\($0.text)')" }
    try connection.script(
      """
      CREATE TABLE public.transaction_state (id bigint PRIMARY KEY, code text NOT NULL, legacy_status text);
      INSERT INTO public.transaction_state VALUES \(rows.joined(separator: ", "));
      ALTER TABLE public.transactions ADD COLUMN state_id bigint;
      UPDATE public.transactions AS t SET state_id = s.id
      FROM public.transaction_state AS s WHERE s.legacy_status = t.status
      """, purpose: "expand")
  }

  @Test("a ledger as it should be is clean")
  func clean() throws {
    let session = try LedgerDatabase("oracle_clean", rows: 3000).connect()
    #expect(try "\(Oracle(.ledger).judge(session))" == "3000 rows, 0 of unmapped status: all as it should be")
    try Self.expand(session)
    #expect(
      try "\(Oracle(.derived()).judge(session))" == "3000 rows, 0 of unmapped status: all as it should be")
  }

  @Test("each way of being wrong is found, with its keys")
  func corrupted() throws {
    let session = try LedgerDatabase("oracle_corrupted", rows: 3000).connect()
    try Self.expand(session)
    try session.script(
      """
      -- Rows against the audit.
      UPDATE public.transactions SET status = 'Settled ', state_id = NULL WHERE id = 11;
      DELETE FROM public.transactions WHERE id IN (21, 22);
      INSERT INTO public.ledger_audit (transaction_id, op) VALUES (31, 'delete');
      DELETE FROM public.ledger_audit WHERE transaction_id = 41;
      -- States against statuses.
      UPDATE public.transactions SET state_id = NULL WHERE id BETWEEN 101 AND 112;
      UPDATE public.transactions SET state_id = 1 + state_id % 8 WHERE id = 201;
      UPDATE public.transactions SET state_id = 99 WHERE id = 202;
      UPDATE public.transactions SET status = NULL, state_id = 3 WHERE id = 203;
      INSERT INTO public.ledger_audit (transaction_id, op, status) VALUES (203, 'move', NULL)
      """, purpose: "corrupt")
    #expect(
      try "\(Oracle(.derived()).judge(session))" == """
        2998 rows, 2 of unmapped status
          status differs from the audit: 1 row (id 11)
          row lost: 2 rows (ids 21, 22)
          deleted row is back: 1 row (id 31)
          row without audit: 1 row (id 41)
          state missing: 12 rows (ids 101, 102, 103, 104, 105, 106, 107, 108, 109, 110, ...)
          state wrong: 3 rows (ids 201, 202, 203)
          state not in the table of states: 1 row (id 202)
        """)
  }
}
