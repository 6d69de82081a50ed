import Derivation
import Postgres

/// Our own publication, where it lists columns (15 and later): the drop of the old column takes it out of the list, the way back
/// puts it in again.
extension MigrationSteps {
  /// Takes the column out of the list of our own publication, where that has one.
  var unlist: String {
    relist("unlist", "a.attnum = ANY (r.prattrs::int2[]) AND a.attname <> \(SQLText.literal(retired.name))")
  }

  /// Puts the old column back into that list, before anything is derived by it again.
  ///
  /// The lock waits for those who write, since what they have written so far comes without the column. So whatever commits after
  /// this step comes with it, and the direction turns only after that.
  var publishAgain: Step {
    let from = SQLText.literal(derive.from.name)
    return step(
      "return.publication", .contracted,
      "publish \(derive.from) again in \(definition.publication): what is derived by it must come in the stream",
      [
        relist(
          "relist", "(a.attnum = ANY (r.prattrs::int2[]) OR r.prattrs IS NOT NULL AND a.attname = \(from))")
      ],
      locks: [.init(.shareRowExclusive, on: table)], hazards: [.shareRowExclusiveLock],
      probe: CatalogProbe.sends(anyOf: [derive.from, retired], by: definition.publication, of: derive.table))
  }

  /// Anew with those columns for which `isListed` holds, of `a`; nothing where there is no list. DROP and ADD in one transaction: SET
  /// TABLE would take other tables out.
  private func relist(_ tag: String, _ isListed: String) -> String {
    let (publication, table) = (definition.publication.quoted, derive.table.quoted)
    return """
      DO $\(tag)$
      DECLARE
        listed text;
        filter text;
      BEGIN
        SELECT pg_catalog.string_agg(pg_catalog.quote_ident(a.attname), ', ' ORDER BY a.attnum),
               pg_catalog.min(pg_catalog.pg_get_expr(r.prqual, r.prrelid)) INTO listed, filter
          FROM pg_catalog.pg_publication_rel AS r JOIN pg_catalog.pg_publication AS p ON p.oid = r.prpubid
          JOIN pg_catalog.pg_attribute AS a ON a.attrelid = r.prrelid AND NOT a.attisdropped
         WHERE p.pubname = \(SQLText.literal(definition.publication.name))
           AND r.prrelid = \(SQLText.literal(table))::pg_catalog.regclass
           AND \(isListed);
        IF listed IS NOT NULL THEN
          ALTER PUBLICATION \(publication) DROP TABLE \(table);
          EXECUTE \(SQLText.literal("ALTER PUBLICATION \(publication) ADD TABLE \(table) (")) || listed || ')'
            || coalesce(' WHERE (' || filter || ')', '');
        END IF;
      END
      $\(tag)$
      """
  }
}
