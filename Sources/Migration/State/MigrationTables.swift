public import DualWrite

/// The tables of schema `crossfade` in which a migration keeps its account.
public enum MigrationTables {
  /// The version of the account, kept in `crossfade.migration`; a newer one is refused.
  public static let version = 1

  /// All that `expand` makes, those of the dual-write and the backfill included.
  public static let all =
    ControlSchema.tables + BackfillTable.tables + [
      migration, step, audit, RehearsalTable.control, ReadsTable.table, RefillTable.control,
    ]

  /// A row a slot: how far it has come, and the end of its audit trail.
  static let migration = ControlTable(
    "migration",
    [
      """
      CREATE TABLE IF NOT EXISTS crossfade.migration (
        slot text PRIMARY KEY,
        format integer NOT NULL DEFAULT \(version),
        phase text NOT NULL,
        since timestamptz NOT NULL DEFAULT clock_timestamp(),
        plan_hash text,
        tool_version text NOT NULL,
        audit_seq bigint NOT NULL DEFAULT 0,
        audit_hash text NOT NULL DEFAULT ''
      ) WITH (fillfactor = 50)
      """,
      "COMMENT ON TABLE crossfade.migration IS 'How far each migration has come, and where its audit trail ends'",
    ])

  /// A row a step that was ever looked at.
  static let step = ControlTable(
    "step",
    [
      """
      CREATE TABLE IF NOT EXISTS crossfade.step (
        slot text NOT NULL,
        step text NOT NULL,
        state text NOT NULL CHECK (state IN ('pending', 'running', 'done', 'found', 'undone', 'failed')),
        title text NOT NULL,
        attempts integer NOT NULL DEFAULT 0,
        started_at timestamptz,
        finished_at timestamptz,
        lock_wait_ms bigint,
        blockers jsonb NOT NULL DEFAULT '[]',
        error text,
        way_back jsonb NOT NULL DEFAULT '[]',
        backend_pid integer,
        backend_start timestamptz,
        PRIMARY KEY (slot, step)
      ) WITH (fillfactor = 50)
      """,
      "COMMENT ON TABLE crossfade.step IS 'The steps of each migration: what was done, what stood there before, what failed'",
    ])

  /// What happened, in order, each row sealed with the one before.
  static let audit = ControlTable(
    "audit",
    [
      """
      CREATE TABLE IF NOT EXISTS crossfade.audit (
        slot text NOT NULL,
        seq bigint NOT NULL,
        at timestamptz NOT NULL,
        session_role text NOT NULL,
        current_role_name text NOT NULL,
        os_user text NOT NULL,
        client text NOT NULL,
        tool_version text NOT NULL,
        step text,
        event text NOT NULL,
        statement text,
        lock_wait_ms bigint,
        lsn pg_lsn NOT NULL,
        details jsonb NOT NULL,
        previous text NOT NULL,
        hash text NOT NULL,
        PRIMARY KEY (slot, seq)
      )
      """,
      "COMMENT ON TABLE crossfade.audit IS 'What was done by whom; never changed: `crossfade audit SLOT --verify` shows it'",
    ])
}
