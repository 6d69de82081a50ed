import Derivation
import Postgres

/// Who else needs the map table: other slots of this database, and foreign keys of other columns. It stays for them.
enum MapUsers {
  /// Each in a few words: `slot card_state`, `foreign key refunds_state of public.refunds`.
  static func find(
    _ derive: SlotDefinition.Derive, slot: String, on connection: Connection
  ) throws(PostgresError) -> [String] {
    let purpose = "look who else uses \(derive.map.table)"
    let keys = try connection.query(
      """
      SELECT c.conname, c.conrelid::regclass FROM pg_catalog.pg_constraint c
       WHERE c.contype = 'f' AND c.confrelid = to_regclass($1) AND c.conparentid = 0 AND NOT (
         (c.conrelid = to_regclass($2) OR c.conrelid IN (SELECT relid FROM pg_catalog.pg_partition_tree(to_regclass($2))))
         AND c.conkey = ARRAY[(SELECT a.attnum FROM pg_catalog.pg_attribute a
                                WHERE a.attrelid = c.conrelid AND a.attname = $3 AND NOT a.attisdropped)])
       ORDER BY 2, 1
      """, [.text(derive.map.table.quoted), .text(derive.table.quoted), .text(derive.to.name)],
      purpose: purpose)
    var users = (0..<keys.rowCount).map { "foreign key \(keys[$0, 0] ?? "") of \(keys[$0, 1] ?? "")" }
    guard
      try connection.query("SELECT to_regclass('crossfade.step') IS NOT NULL", purpose: purpose).boolean(0, 0)
    else { return users }
    let slots = try connection.query(
      """
      SELECT s.slot FROM crossfade.step s JOIN crossfade.migration m USING (slot)
       WHERE s.slot <> $1 AND s.step = 'expand.map' AND s.title = $2 AND s.state IN ('done', 'found', 'running')
         AND m.phase <> 'planned' ORDER BY 1
      """, [.text(slot), .text(MigrationSteps.mapTitle(derive.map.table))], purpose: purpose)
    users += (0..<slots.rowCount).compactMap { slots[$0, 0].map { "slot \($0)" } }
    return users
  }
}
