import Postgres

/// The application's statements. Each change and its audit entry are one statement, the entry after the change: who
/// changes the row next waits for the row's lock, so `seq` follows the order of changes.
enum LedgerStatements {
  static let insert = """
    WITH changed AS (
      INSERT INTO public.transactions (card_token, merchant_id, amount_cents, currency, status)
      VALUES ($1, $2, $3, $4, $5) RETURNING id, status)
    INSERT INTO public.ledger_audit (transaction_id, status, op, work)
    SELECT id, status, 'insert', $6 FROM changed RETURNING transaction_id
    """

  /// A move counts only from the status that was seen.
  static let move = """
    WITH changed AS (
      UPDATE public.transactions SET status = $2, updated_at = now()
      WHERE id = $1 AND status = $3 RETURNING id, status)
    INSERT INTO public.ledger_audit (transaction_id, status, op, work)
    SELECT id, status, 'move', $4 FROM changed
    """

  static let delete = """
    WITH changed AS (DELETE FROM public.transactions WHERE id = $1 RETURNING id)
    INSERT INTO public.ledger_audit (transaction_id, status, op, work)
    SELECT id, NULL, 'delete', $2 FROM changed
    """

  static let read = "SELECT status FROM public.transactions WHERE id = $1"

  static let highestID = "SELECT coalesce(max(id), 0) FROM public.transactions"

  /// What a transaction left in the audit table: nothing, if it did not commit.
  static let trace = "SELECT op, count(*) FROM public.ledger_audit WHERE work = $1 GROUP BY op"

  /// Whether a backend of an earlier session still lives, and so may still commit.
  static let predecessors = """
    SELECT count(*) FROM pg_stat_activity WHERE application_name = $1 AND pid <> pg_backend_pid()
    """
}
