/// How the application writes, counted as the dual-write reads it: who still writes the old column alone.
enum LegacyTable {
  static let table = ControlTable(
    "legacy",
    [
      """
      CREATE TABLE IF NOT EXISTS crossfade.legacy (
        slot text NOT NULL,
        day date NOT NULL,
        kind text NOT NULL CHECK (kind IN ('old', 'new', 'both', 'other', 'conflict')),
        application text NOT NULL DEFAULT '',
        count bigint NOT NULL DEFAULT 0,
        last_position pg_lsn,
        last_at timestamptz,
        last_keys jsonb NOT NULL DEFAULT '[]',
        PRIMARY KEY (slot, day, kind, application)
      ) WITH (fillfactor = 50)
      """,
      "COMMENT ON TABLE crossfade.legacy IS 'Row changes by the column that the application wrote, a day; `crossfade readiness` reads it'",
    ])
}
