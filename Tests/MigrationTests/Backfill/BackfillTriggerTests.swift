import Derivation
import LocalCluster
import Postgres
import Testing

@testable import Migration

@Suite("Backfill: triggers", .timeLimit(.minutes(5)), .serialized) struct BackfillTriggerTests {
  private let interrupt: Interrupt

  init() throws { interrupt = try #require(Interrupt()) }

  /// A table with updated_at, an audit trigger and a deferred constraint trigger.
  private func ledger(_ name: String) throws -> LedgerDatabase {
    let ledger = try LedgerDatabase(
      name, table: "id bigint PRIMARY KEY, updated_at timestamptz DEFAULT '2020-01-01'")
    try ledger.run(
      """
      CREATE TABLE public.audit (id bigint);
      CREATE FUNCTION public.touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.updated_at := now(); RETURN NEW; END $$;
      CREATE FUNCTION public.audit() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN INSERT INTO public.audit VALUES (NEW.id); RETURN NEW; END $$;
      INSERT INTO public.transactions (id, status) SELECT n, 'AUTH' FROM generate_series(1, 50) AS n;
      CREATE TRIGGER touch BEFORE UPDATE ON public.transactions FOR EACH ROW EXECUTE FUNCTION public.touch();
      CREATE TRIGGER audit AFTER UPDATE ON public.transactions FOR EACH ROW EXECUTE FUNCTION public.audit();
      CREATE CONSTRAINT TRIGGER later AFTER UPDATE ON public.transactions DEFERRABLE INITIALLY DEFERRED
        FOR EACH ROW EXECUTE FUNCTION public.audit()
      """)
    try ledger.ready(interrupt)
    return ledger
  }

  private func touched(_ ledger: LedgerDatabase) throws -> [String] {
    try ledger.column(
      """
      SELECT count(*) FILTER (WHERE updated_at > '2020-01-02') || ' ' || (SELECT count(*) FROM public.audit) || ' '
        || count(state_id) FROM public.transactions
      """)
  }

  @Test("they are left alone where the role may, and fire where that is asked for")
  func policy() throws {
    var ledger = try ledger("backfill_triggers")
    #expect(try ledger.backfill(interrupt).written == 50)
    #expect(try touched(ledger) == ["0 0 50"])
    try ledger.run("SET session_replication_role = replica; UPDATE public.transactions SET state_id = NULL")
    try Backfill.restart(slot: ledger.definition.slot, on: ledger.connect())
    ledger.definition.backfill.triggers = .fire
    #expect(try ledger.backfill(interrupt).written == 50)
    #expect(try touched(ledger) == ["50 100 50"])
  }

  @Test("for a role that may not set session_replication_role they fire, and from 15 on a grant is enough")
  func grant() throws {
    var ledger = try ledger("backfill_triggers_role")
    let role = "backfill_plain"
    try ledger.run(
      """
      CREATE ROLE \(role) LOGIN REPLICATION;
      GRANT ALL ON SCHEMA crossfade TO \(role);
      ALTER TABLE public.transactions OWNER TO \(role); ALTER TABLE public.transaction_state OWNER TO \(role);
      ALTER TABLE public.audit OWNER TO \(role);
      """)
    try BackfillProgress.ensure(on: ledger.connect())
    try ledger.run(
      "GRANT ALL ON ALL TABLES IN SCHEMA crossfade TO \(role); GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA crossfade TO \(role)"
    )
    ledger.definition.source = ConnectionString(ledger.cluster.conninfo(database: ledger.name, user: role))
    // Before 14 a plain role cannot mark its writes, and is refused: WriteMarkTests.
    guard try ledger.connect().serverVersion.major >= 14 else { return }
    #expect(try ledger.backfill(interrupt).written == 50)
    #expect(try touched(ledger) == ["50 100 50"])
    guard try ledger.connect().serverVersion.major >= 15 else { return }
    try ledger.run(
      """
      GRANT SET ON PARAMETER session_replication_role TO \(role); DELETE FROM public.audit;
      SET session_replication_role = replica;
      UPDATE public.transactions SET state_id = NULL, updated_at = '2020-01-01'
      """)
    try Backfill.restart(slot: ledger.definition.slot, on: ledger.connect())
    #expect(try ledger.backfill(interrupt).written == 50)
    #expect(try touched(ledger) == ["0 0 50"])
  }
}
