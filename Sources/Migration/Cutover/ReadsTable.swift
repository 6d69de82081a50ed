import DualWrite

/// Which share of the reads is to use the new column, a row a slot, and the function that applications ask.
///
/// - The function is a SECURITY DEFINER with a fixed search path: who may use the schema may ask, and need not see a table.
/// - PL/pgSQL keeps its plans in the session: a call costs a look at one row, a tenth of what the same query costs as a
///   function in SQL.
/// - A key's answer hangs on a hash of slot and key alone, so that it is the same everywhere, and a larger share only adds.
enum ReadsTable {
  static let table = ControlTable(
    "reads",
    [
      """
      CREATE TABLE IF NOT EXISTS crossfade.reads (
        slot text PRIMARY KEY,
        percent integer NOT NULL CHECK (percent BETWEEN 0 AND 100),
        since timestamptz NOT NULL DEFAULT clock_timestamp(),
        by_role text NOT NULL DEFAULT session_user
      )
      """,
      "COMMENT ON TABLE crossfade.reads IS 'How many percent of the reads use the new column of each slot; `crossfade cutover` sets it'",
      """
      CREATE OR REPLACE FUNCTION crossfade.reads_new(slot text, key text DEFAULT NULL) RETURNS boolean
      LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $reads$
      DECLARE
        share integer;
        hash bytea;
      BEGIN
        SELECT r.percent INTO share FROM crossfade.reads AS r WHERE r.slot = $1;
        IF share >= 100 THEN RETURN true; END IF;
        IF share IS NULL OR share <= 0 OR $2 IS NULL THEN RETURN false; END IF;
        hash := sha256(convert_to($1 || E'\\n' || $2, 'UTF8'));
        RETURN (get_byte(hash, 0)::bigint * 16777216 + get_byte(hash, 1) * 65536 + get_byte(hash, 2) * 256
                + get_byte(hash, 3)) * 100 / 4294967296 < share;
      END
      $reads$
      """,
      "COMMENT ON FUNCTION crossfade.reads_new(text, text) IS 'Whether to read the new column of a slot, for this key; without a key, for all'",
    ])
}
