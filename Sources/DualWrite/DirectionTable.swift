/// Which of the two columns is derived from which, a row a slot; no row is `forward`.
///
/// What is asked for takes effect when the dual-write has written it into `standing`, in a commit that moves its checkpoint: so
/// that no change is handled both ways or neither way.
enum DirectionTable {
  static let table = ControlTable(
    "direction",
    [
      """
      CREATE TABLE IF NOT EXISTS crossfade.direction (
        slot text PRIMARY KEY,
        asked text NOT NULL CHECK (asked IN ('forward', 'both', 'rest')),
        asked_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        asked_lsn pg_lsn NOT NULL DEFAULT pg_current_wal_insert_lsn(),
        standing text NOT NULL DEFAULT 'forward' CHECK (standing IN ('forward', 'both', 'rest')),
        since timestamptz,
        since_lsn pg_lsn
      ) WITH (fillfactor = 50)
      """,
      "COMMENT ON TABLE crossfade.direction IS 'Which column each slot derives from which: what is asked, and what the dual-write does'",
    ])
}
