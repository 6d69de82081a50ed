import Derivation
import Postgres

/// Row filters of publications (15 and later), looked at before what they hang on is changed.
///
/// - Our own publication must have none: changes of rows outside it would be missed, and its table is taken out and put back
///   without one. `run` refuses it when it starts.
/// - Where a filter of another publication names columns that are not in the replica identity that is to come back, every update
///   of the application would fail from then on.
struct FilterFacts: Sendable, Equatable {
  /// One of somebody else's.
  struct Foreign: Sendable, Equatable {
    var publication: String
    /// Those that it names and the identity of before does not hold.
    var columns: String
  }

  /// Whether the slot's own publication has one on the table.
  var isOwn: Bool
  var foreign: Foreign?

  static let none = FilterFacts(isOwn: false, foreign: nil)

  /// Nil where there is nothing to say: no filter stands in the way.
  func gate(_ definition: SlotDefinition, isBack: Bool) -> Gate? {
    let (publication, table) = (definition.publication, definition.derive.table)
    if isOwn {
      return Gate(
        "row filter", passes: false, "publication \(publication) filters the rows of \(table)",
        threshold: "every row is published",
        mend:
          "ALTER PUBLICATION \(publication.quoted) SET TABLE \(table.quoted);  -- names every table it shall hold; what was "
          + "filtered out is to be backfilled, and verified"
      )
    }
    guard isBack, let obstacle = obstacle(table) else { return nil }
    return Gate(
      "row filter", passes: false, obstacle.what, threshold: "filters by columns of that identity alone",
      mend: obstacle.mend)
  }

  /// Why the identity of before cannot come back, and what to do about it; nil where it can, or none does.
  func obstacle(_ table: QualifiedName) -> (what: String, mend: String)? {
    guard let foreign else { return nil }
    return (
      "publication \(foreign.publication) filters by \(foreign.columns), which the replica identity of before does not hold: the "
        + "application's updates would fail",
      "filter by other columns there, or take \(table) out of it first"
    )
  }
}

extension FilterFacts {
  /// - Parameter records: what was done; they hold the identity that comes back.
  static func ask(
    _ definition: SlotDefinition, _ records: [StepRecord], on connection: Connection
  ) throws(PostgresError) -> FilterFacts {
    guard connection.serverVersion.major >= 15 else { return .none }
    let table = definition.derive.table
    let purpose = "look for row filters of publications"
    let own = try connection.query(
      """
      SELECT EXISTS (SELECT FROM pg_catalog.pg_publication_rel AS r JOIN pg_catalog.pg_publication AS p ON p.oid = r.prpubid
        WHERE p.pubname = $1 AND r.prqual IS NOT NULL AND (r.prrelid = to_regclass($2)
              OR r.prrelid IN (SELECT relid FROM pg_catalog.pg_partition_tree(to_regclass($2)))))
      """, [.text(definition.publication.name), .text(table.quoted)], purpose: purpose)
    var facts = FilterFacts(isOwn: own.boolean(0, 0), foreign: nil)
    // Of an identity that we did not change nothing comes back. An index is the same for all partitions, or has none.
    let back =
      records.first { $0.id == "cutover.identity" && [.done, .running, .failed].contains($0.state) }?.wayBack
      ?? []
    guard let last = back.last, let mark = last.firstRange(of: "REPLICA IDENTITY ") else { return facts }
    let identity = String(last[mark.upperBound...])
    let index = identity.hasPrefix("USING INDEX ") ? String(identity.dropFirst("USING INDEX ".count)) : nil
    let rows = try connection.query(
      """
      SELECT p.pubname, string_agg(DISTINCT pg_catalog.quote_ident(a.attname), ', ')
        FROM pg_catalog.pg_publication_rel AS r JOIN pg_catalog.pg_publication AS p ON p.oid = r.prpubid
        JOIN pg_catalog.pg_depend AS d ON d.classid = 'pg_catalog.pg_publication_rel'::regclass AND d.objid = r.oid
         AND d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjid = r.prrelid AND d.refobjsubid > 0
        JOIN pg_catalog.pg_attribute AS a ON a.attrelid = r.prrelid AND a.attnum = d.refobjsubid
       WHERE r.prqual IS NOT NULL AND p.pubname <> $1 AND (p.pubupdate OR p.pubdelete)
         AND (r.prrelid = to_regclass($2) OR r.prrelid IN (SELECT relid FROM pg_catalog.pg_partition_tree(to_regclass($2))))
         AND NOT EXISTS (SELECT FROM pg_catalog.pg_index AS i JOIN pg_catalog.pg_class AS x ON x.oid = i.indexrelid
           WHERE i.indrelid = r.prrelid AND a.attnum = ANY (i.indkey::int2[])
             AND CASE WHEN $3::text IS NULL THEN $4 = 'DEFAULT' AND i.indisprimary
                      ELSE pg_catalog.quote_ident(x.relname) = $3::text END)
       GROUP BY 1 ORDER BY 1 LIMIT 1
      """,
      [.text(definition.publication.name), .text(table.quoted), .optional(index), .text(identity)],
      purpose: purpose)
    if rows.rowCount == 1 {
      facts.foreign = Foreign(publication: rows[0, 0] ?? "", columns: rows[0, 1] ?? "")
    }
    return facts
  }
}
