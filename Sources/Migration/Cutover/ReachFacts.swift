import Derivation
import Postgres

/// Whether the stream can tell which column a writer changed, or triggers keep both in step: without one of them the old
/// column cannot be derived.
struct ReachFacts: Sendable, Equatable {
  /// Whether old rows are whole in the stream already.
  var isFull: Bool
  /// Of the bridge's triggers, those that stand and fire.
  var triggers: Int
  /// The table's owner, where our role is not a member of it.
  var foreignOwner: String?
  /// The publication's owner, where it lists columns and our role may not change it.
  var foreignPublication: String?
  /// Other publications that list columns of the table: with whole old rows the application's updates would fail.
  var listing: [String]
  /// A generated column that keeps updates from being published with whole old rows (18).
  var generated: String?

  func gate(_ definition: SlotDefinition) -> Gate {
    let (name, wanted) = ("both ways", "whole old rows in the stream, or the bridge")
    if definition.migrate.bridge == .trigger {
      return Gate(
        name, passes: triggers == 2,
        triggers == 2
          ? "by the bridge's triggers" : "the bridge's triggers do not all stand and fire",
        threshold: wanted, mend: "crossfade expand SLOT, or ALTER TABLE ... ENABLE TRIGGER")
    }
    if isFull {
      return Gate(name, passes: true, "REPLICA IDENTITY FULL", threshold: wanted)
    }
    guard let (obstacle, mend) = obstacle(definition) else {
      return Gate(
        name, passes: true, "step cutover.identity sees to it; the change log holds whole rows then",
        threshold: wanted)
    }
    return Gate(name, passes: false, obstacle, threshold: wanted, mend: mend)
  }

  /// Why the table cannot be given REPLICA IDENTITY FULL, and what to do about it.
  func obstacle(_ definition: SlotDefinition) -> (what: String, mend: String)? {
    let table = definition.derive.table
    if let foreignOwner {
      return (
        "\(table) belongs to \(foreignOwner), and REPLICA IDENTITY FULL is the owner's to set",
        "as \(foreignOwner): ALTER TABLE \(table.quoted) REPLICA IDENTITY FULL;  -- after the publication lists no columns"
      )
    }
    if let foreignPublication {
      return (
        "publication \(definition.publication) lists columns, and belongs to \(foreignPublication)",
        "as its owner, in one transaction: ALTER PUBLICATION \(definition.publication.quoted) DROP TABLE \(table.quoted); "
          + "ALTER PUBLICATION \(definition.publication.quoted) ADD TABLE \(table.quoted);"
      )
    }
    if let first = listing.first {
      return (
        "publication \(first) lists columns of \(table): with REPLICA IDENTITY FULL the application's updates would fail",
        "publish the table there without a column list, or use migrate.bridge: trigger"
      )
    }
    return generated.map {
      (
        "generated column \($0) is not published: with REPLICA IDENTITY FULL the application's updates would fail",
        "ALTER PUBLICATION ... SET (publish_generated_columns = stored), for a virtual one use migrate.bridge: trigger"
      )
    }
  }
}

extension ReachFacts {
  static func ask(_ definition: SlotDefinition, on connection: Connection) throws(PostgresError) -> ReachFacts
  {
    let purpose = "look whether the stream can tell which column was written"
    let table = definition.derive.table.quoted
    let tree =
      "(SELECT to_regclass($1)::oid UNION SELECT relid::oid FROM pg_catalog.pg_partition_tree(to_regclass($1)))"
    let rows = try connection.query(
      """
      SELECT coalesce((\(CatalogProbe.fullIdentity(of: definition.derive.table))), false),
             (SELECT count(*) FROM pg_catalog.pg_trigger AS t WHERE t.tgrelid = to_regclass($1)
                 AND t.tgname IN ($2, $3) AND t.tgenabled IN ('O', 'A')),
             (SELECT pg_get_userbyid(c.relowner) FROM pg_catalog.pg_class AS c WHERE c.oid = to_regclass($1)
                 AND NOT pg_has_role(c.relowner, 'USAGE'))
      """,
      [.text(table)] + MigrationSteps.bridgeTriggers(of: definition.slot).map { Parameter.text($0) },
      purpose: purpose)
    var facts = ReachFacts(
      isFull: rows.boolean(0, 0), triggers: Int(rows.integer(0, 1) ?? 0), foreignOwner: rows[0, 2],
      foreignPublication: nil, listing: [], generated: nil)
    guard connection.serverVersion.major >= 15 else { return facts }
    let lists = try connection.query(
      """
      SELECT DISTINCT p.pubname::text, p.pubname = $2, pg_get_userbyid(p.pubowner), pg_has_role(p.pubowner, 'USAGE')
        FROM pg_catalog.pg_publication_rel AS r JOIN pg_catalog.pg_publication AS p ON p.oid = r.prpubid
       WHERE r.prattrs IS NOT NULL AND (p.pubupdate OR p.pubdelete) AND r.prrelid IN \(tree) ORDER BY 1
      """, [.text(table), .text(definition.publication.name)], purpose: purpose)
    for row in 0..<lists.rowCount {
      if !lists.boolean(row, 1) {
        facts.listing.append(lists[row, 0] ?? "")
      } else if !lists.boolean(row, 3) {
        facts.foreignPublication = lists[row, 2]
      }
    }
    guard connection.serverVersion.major >= 18 else { return facts }
    facts.generated = try connection.query(
      """
      SELECT a.attname::text FROM pg_catalog.pg_attribute AS a
       WHERE a.attrelid IN \(tree) AND a.attgenerated <> '' AND NOT a.attisdropped
         AND (a.attgenerated = 'v' OR EXISTS (SELECT FROM pg_catalog.pg_publication AS p WHERE p.pubgencols <> 's'
              AND (p.puballtables OR EXISTS (SELECT FROM pg_catalog.pg_publication_rel AS r
                   WHERE r.prpubid = p.oid AND r.prrelid IN \(tree)))))
       ORDER BY 1 LIMIT 1
      """, [.text(table)], purpose: purpose)[0, 0]
    return facts
  }
}
