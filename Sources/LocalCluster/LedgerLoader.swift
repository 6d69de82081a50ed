public import Postgres

/// Fills a ledger with history: the same rows for the same seed and number.
///
/// Transactions are spread evenly over ninety days before `now()`; young ones are authorized or captured, old ones mostly
/// settled, and each status occurs about as often as with a card issuer.
public struct LedgerLoader: Sendable {
  /// How many transactions.
  public var rows: Int
  /// What the history is drawn from.
  public var seed: Int
  /// Rows a database transaction.
  public var chunk: Int

  /// A load of `rows` transactions.
  public init(rows: Int, seed: Int = 1, chunk: Int = 100_000) {
    self.rows = rows
    self.seed = seed
    self.chunk = max(1, chunk)
  }

  /// Creates the schema in an empty database and loads it.
  ///
  /// - Parameter progress: called after each chunk with the rows loaded so far.
  public func createAndLoad(
    _ connection: Connection, progress: (Int) -> Void = { _ in }
  ) throws(PostgresError) {
    try connection.script(LedgerSchema.sql, purpose: "create the ledger")
    var loaded = 0
    while loaded < rows {
      let upper = min(rows, loaded + chunk)
      try connection.script(
        """
        BEGIN;
        \(insert(from: loaded + 1, to: upper));
        INSERT INTO public.ledger_audit (transaction_id, status, op)
          SELECT id, status, 'load' FROM public.transactions WHERE id BETWEEN \(loaded + 1) AND \(upper) ORDER BY id;
        COMMIT
        """, purpose: "load the ledger")
      loaded = upper
      progress(loaded)
    }
    guard rows > 0 else { return }
    try connection.script(
      "SELECT setval(pg_get_serial_sequence('public.transactions', 'id'), \(rows))",
      purpose: "set the next id")
    // Statistics, hint bits and the visibility map: what a ledger of ninety days has, and a fresh load has not.
    try connection.query("VACUUM (ANALYZE) public.transactions", purpose: "vacuum the ledger")
  }

  /// `u` is 0...9999, evenly spread; `age` is in days.
  private func insert(from first: Int, to last: Int) -> String {
    """
    INSERT INTO public.transactions
      (id, card_token, merchant_id, amount_cents, currency, status, created_at, updated_at)
    SELECT g, 'tok_' || lpad(to_hex(h & 1099511627775), 12, '0'), (h >> 7 & 65535)::int,
      100 + (h >> 13 & 1048575) % 40000, (ARRAY['EUR', 'EUR', 'USD', 'GBP', 'CHF'])[1 + (h >> 19 & 65535) % 5],
      CASE
        WHEN u < 900 THEN 'DECLINED'
        WHEN u < 1130 THEN 'reversed'
        WHEN u < 1250 AND age > 7 THEN 'EXPIRED'
        WHEN u < 1530 AND age > 3 THEN 'REFUNDED'
        WHEN u < 1560 AND age > 5 THEN 'CHARGE BACK'
        WHEN u < 1660 OR age < 0.6 THEN 'AUTH'
        WHEN u < 1860 OR age < 1.8 THEN 'CAPTURED'
        ELSE 'Settled'
      END,
      now() - age * interval '1 day', now() - age * interval '22 hours'
    FROM generate_series(\(first)::bigint, \(last)::bigint) AS g,
      LATERAL (SELECT hashint8extended(g, \(seed)) AS h, 90.0::float8 * (\(rows + 1) - g) / \(rows + 1) AS age) AS drawn,
      LATERAL (SELECT (h >> 31 & 1073741823) % 10000 AS u) AS spread
    """
  }
}
