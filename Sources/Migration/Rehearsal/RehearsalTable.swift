import DualWrite

/// The proofs of rehearsals, each kept for good: `cutover` asks for one where the definition wants it.
enum RehearsalTable {
  /// The table's name, for those who look whether it is there.
  static let name = "crossfade.rehearsal"

  static let control = ControlTable(
    "rehearsal",
    [
      """
      CREATE TABLE IF NOT EXISTS crossfade.rehearsal (
        slot text NOT NULL,
        at timestamptz NOT NULL DEFAULT clock_timestamp(),
        by_role text NOT NULL DEFAULT session_user,
        plan_hash text NOT NULL,
        tool_version text NOT NULL,
        result text NOT NULL CHECK (result IN ('passed', 'failed')),
        details jsonb NOT NULL DEFAULT '{}',
        PRIMARY KEY (slot, at)
      )
      """,
      "COMMENT ON TABLE crossfade.rehearsal IS 'When each migration was tried forward and back on a copy, and what came of it'",
    ])
}
