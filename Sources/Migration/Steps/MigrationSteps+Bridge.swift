import Derivation
import DualWrite
import Postgres

/// The optional triggers that keep both columns in step inside the writer's own transaction.
///
/// - They never make a writer fail: whatever goes wrong leaves the row as it was given, for the stream.
/// - Where both columns move, or neither can be told from the other, the row is left too: before cutover the stream derives the
///   new column from the old one, in the end.
/// - Our own sessions say who they are (`OwnWrites`), and do not fire them.
/// - From 14 on a transaction that writes the old column alone tells the stream so with the application's name, right before the first
///   such row: once the row is in step nothing else would show it.
extension MigrationSteps {
  var makeBridge: Step {
    step(
      "expand.bridge", .expanded,
      "keep \(derive.from) and \(derive.to) in step by triggers on \(derive.table)",
      [createFunction, "REVOKE ALL ON FUNCTION \(function)() FROM PUBLIC"]
        + [insertTrigger, updateTrigger],
      locks: [.init(.shareRowExclusive, on: table)], hazards: [.shareRowExclusiveLock, .correctness],
      probe: CatalogProbe.triggers(triggerNames, of: derive.table), wayBack: dropTriggers,
      wayBackLocks: [.init(.accessExclusive, on: table)])
  }

  /// Their end: the function speaks of the old column.
  var dropTriggers: [String] { dropOwn(triggers: triggerNames, function: function) }

  var triggerNames: [String] { Self.bridgeTriggers(of: definition.slot) }

  /// Its triggers' names.
  static func bridgeTriggers(of slot: String) -> [String] {
    ["insert", "update"].map { triggerName($0, of: slot) }
  }

  private var function: String { ownFunction("bridge") }

  private var insertTrigger: String {
    "CREATE TRIGGER \(SQLText.identifier(triggerNames[0])) BEFORE INSERT ON \(table) FOR EACH ROW "
      + "WHEN (\(OwnWrites.isForeign)) EXECUTE FUNCTION \(function)()"
  }

  private var updateTrigger: String {
    let (old, new) = (derive.from.quoted, derive.to.quoted)
    return "CREATE TRIGGER \(SQLText.identifier(triggerNames[1])) BEFORE UPDATE ON \(table) FOR EACH ROW "
      + "WHEN ((OLD.\(old) IS DISTINCT FROM NEW.\(old)) <> (OLD.\(new) IS DISTINCT FROM NEW.\(new)) "
      + "AND \(OwnWrites.isForeign)) EXECUTE FUNCTION \(function)()"
  }

  /// SECURITY DEFINER: the application need not have rights on the map. Only a trigger can call it, and it takes no
  /// arguments.
  private var createFunction: String {
    let map = derive.map
    let (old, new) = ("NEW.\(derive.from.quoted)", "NEW.\(derive.to.quoted)")
    let state = "SELECT m.\(map.id.quoted) FROM \(map.table.quoted) AS m WHERE "
    let status =
      "SELECT m.\(map.status.quoted) FROM \(map.table.quoted) AS m WHERE m.\(map.id.quoted) = \(new)"
    return """
      CREATE OR REPLACE FUNCTION \(function)() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
      SET search_path = pg_catalog, pg_temp AS $bridge$
      BEGIN
        IF TG_OP = 'INSERT' AND \(new) IS NOT NULL THEN
          IF \(isLeftOut) THEN \(old) := (\(status)); END IF;
        ELSIF TG_OP = 'INSERT' OR OLD.\(derive.from.quoted) IS DISTINCT FROM \(old) THEN
          IF \(old) IS NULL THEN
            \(new) := (\(state)m.\(map.status.quoted) IS NULL);
          ELSE
            \(new) := (\(state)m.\(map.status.quoted)::text COLLATE "C" = \(old)::text);
          END IF;\(tell)
        ELSIF EXISTS (\(status)) THEN
          \(old) := (\(status));
        END IF;
        RETURN NEW;
      EXCEPTION WHEN OTHERS THEN
        RETURN NEW;
      END
      $bridge$
      """
  }

  /// Whether an insert that gives the new column did not name the old one: that is NULL then, or has its default.
  private var isLeftOut: String {
    let old = "NEW.\(derive.from.quoted)"
    return "\(old) IS NULL" + (facts.statusDefault.map { " OR \(old) = \($0)" } ?? "")
  }

  /// Last: should it fail, the row is derived all the same. A variable keeps what it was given before an error.
  ///
  /// Once a transaction: a message gives the subtransaction of this block a number, and a backend remembers 64 of those before others
  /// have to look them up (`PGPROC_MAX_CACHED_SUBXIDS`). What is told in a savepoint that is rolled back is told again, since the
  /// setting is rolled back with it.
  private var tell: String {
    guard facts.version.major >= 14 else { return "" }
    let (prefix, slot) = (SQLText.literal(OwnWrites.legacyPrefix), SQLText.literal(definition.slot))
    let told = SQLText.literal("crossfade.told_" + definition.slot)
    let now = "pg_catalog.pg_current_xact_id()::text"
    return """

            IF pg_catalog.current_setting(\(told), true) IS DISTINCT FROM \(now) THEN
              PERFORM pg_catalog.pg_logical_emit_message(
                true, \(prefix), \(slot) || E'\\n'
                  || coalesce(nullif(pg_catalog.current_setting('application_name'), ''), '(no application_name)'));
              PERFORM pg_catalog.set_config(\(told), \(now), true);
            END IF;
      """
  }
}
