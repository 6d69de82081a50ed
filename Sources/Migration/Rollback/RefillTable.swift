import DualWrite

/// How far the old column is filled on its way back: a row a slot, written in the commit of the rows.
enum RefillTable {
  static let control = ControlTable(
    "refill",
    [
      """
      CREATE TABLE IF NOT EXISTS crossfade.refill (
        slot text PRIMARY KEY,
        last_key text[],
        bound text[],
        pages bigint NOT NULL DEFAULT 0,
        written bigint NOT NULL DEFAULT 0,
        started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        finished_at timestamptz
      ) WITH (fillfactor = 20)
      """,
      "COMMENT ON TABLE crossfade.refill IS 'How far a rollback has filled the old column from the new one'",
    ])
}
