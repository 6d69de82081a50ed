/// The SQL that makes up the ledger's past.
enum LedgerHistory {
  /// Inserts the transactions of these ids with their audit entries, in one statement.
  ///
  /// `h` is 64 bits drawn from the id, `u` is 0...9999, evenly spread; `age` is in days.
  static func chunkSQL(_ ids: ClosedRange<Int>, of rows: Int, seed: Int) -> String {
    """
    WITH loaded AS (
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
    FROM generate_series(\(ids.lowerBound)::bigint, \(ids.upperBound)::bigint) AS g,
      LATERAL (SELECT hashint8extended(g, \(seed)) AS h, 90.0::float8 * (\(rows + 1) - g) / \(rows + 1) AS age) AS drawn,
      LATERAL (SELECT (h >> 31 & 1073741823) % 10000 AS u) AS spread
    RETURNING id, status)
    INSERT INTO public.ledger_audit (seq, transaction_id, status, op) OVERRIDING SYSTEM VALUE
      SELECT id, id, status, 'load' FROM loaded
    """
  }
}
