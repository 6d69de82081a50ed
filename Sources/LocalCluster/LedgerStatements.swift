import Postgres

/// The application's statements. Each change and its audit entry are one statement, the entry after the change: who
/// changes the row next waits for the row's lock, so `seq` follows the order of changes.
struct LedgerStatements {
  let column: WorkloadPlan.Column

  /// `$7` is the status as the mirror keeps it.
  var insert: String {
    """
    WITH changed AS (
      INSERT INTO public.transactions (card_token, merchant_id, amount_cents, currency, \(column.rawValue))
      VALUES ($1, $2, $3, $4, $5) RETURNING id)
    INSERT INTO public.ledger_audit (transaction_id, status, op, work)
    SELECT id, $7, 'insert', $6 FROM changed RETURNING transaction_id
    """
  }

  /// A move counts only from the status that was seen. `$5` is the new one as the mirror keeps it.
  var move: String {
    """
    WITH changed AS (
      UPDATE public.transactions SET \(column.rawValue) = $2, updated_at = now()
      WHERE id = $1 AND \(column.rawValue) = $3 RETURNING id)
    INSERT INTO public.ledger_audit (transaction_id, status, op, work)
    SELECT id, $5, 'move', $4 FROM changed
    """
  }

  var read: String { "SELECT \(column.rawValue) FROM public.transactions WHERE id = $1" }

  /// A status as the column holds it.
  func value(_ status: LegacyStatus) -> Parameter {
    switch column {
    case .status: .text(status.text)
    case .state: .integer(status.rawValue)
    }
  }

  /// The status that a value of the column stands for.
  func status(_ value: String) -> LegacyStatus? {
    switch column {
    case .status: LegacyStatus(text: value)
    case .state: Int(value).flatMap { LegacyStatus(rawValue: $0) }
    }
  }

  static let delete = """
    WITH changed AS (DELETE FROM public.transactions WHERE id = $1 RETURNING id)
    INSERT INTO public.ledger_audit (transaction_id, status, op, work)
    SELECT id, NULL, 'delete', $2 FROM changed
    """

  static let highestID = "SELECT coalesce(max(id), 0) FROM public.transactions"

  /// What a transaction left in the audit table: nothing, if it did not commit.
  static let trace = "SELECT op, count(*) FROM public.ledger_audit WHERE work = $1 GROUP BY op"

  /// Whether a backend of an earlier session still lives, and so may still commit.
  static let predecessors = """
    SELECT count(*) FROM pg_stat_activity WHERE application_name = $1 AND pid <> pg_backend_pid()
    """
}
