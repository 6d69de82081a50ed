import Derivation
import Postgres

/// Queries with one truth value: does it stand? They name the catalogs in full and hold values as literals, so that
/// anybody can run them as they are.
enum CatalogProbe {
  static func table(_ table: QualifiedName) -> String {
    "SELECT to_regclass(\(literal(table))) IS NOT NULL"
  }

  static func column(_ column: Identifier, of table: QualifiedName) -> String {
    "SELECT EXISTS (SELECT FROM pg_catalog.pg_attribute WHERE attrelid = to_regclass(\(literal(table))) "
      + "AND attname = \(SQLText.literal(column.name)) AND NOT attisdropped)"
  }

  /// Whether the column's rows can be looked up by an index: a valid one, on all rows, with the column first, by any name.
  static func index(on column: Identifier, of table: QualifiedName) -> String {
    "SELECT EXISTS (SELECT FROM pg_catalog.pg_index i JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid "
      + "AND a.attnum = i.indkey[0] WHERE i.indrelid = to_regclass(\(literal(table))) "
      + "AND a.attname = \(SQLText.literal(column.name)) AND i.indisvalid AND i.indisready AND i.indpred IS NULL)"
  }

  /// As `index`, or one of this name that is not valid because partitions are still to be attached.
  static func parentIndex(_ name: String, on column: Identifier, of table: QualifiedName) -> String {
    index(on: column, of: table)
      + " OR EXISTS (SELECT FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid "
      + "WHERE i.indrelid = to_regclass(\(literal(table))) AND c.relname = \(SQLText.literal(name)))"
  }

  /// Whether the partition has an index of this name that is valid, or one that is attached to an index on its parent.
  static func partitionIndex(
    _ name: String, on column: Identifier, of partition: StepFacts.Partition
  ) -> String {
    "SELECT EXISTS (SELECT FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid "
      + "WHERE i.indrelid = to_regclass(\(literal(partition.name))) AND c.relname = \(SQLText.literal(name)) "
      + "AND (i.indisvalid OR c.relkind = 'I')) OR (\(attached(column, partition)))"
  }

  /// Whether the partition's index on the column is attached to an index on its parent.
  static func attached(_ column: Identifier, _ partition: StepFacts.Partition) -> String {
    "SELECT EXISTS (SELECT FROM pg_catalog.pg_inherits h JOIN pg_catalog.pg_index i ON i.indexrelid = h.inhrelid "
      + "JOIN pg_catalog.pg_index p ON p.indexrelid = h.inhparent JOIN pg_catalog.pg_attribute a "
      + "ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0] "
      + "WHERE i.indrelid = to_regclass(\(literal(partition.name))) "
      + "AND p.indrelid = to_regclass(\(literal(partition.parent))) AND a.attname = \(SQLText.literal(column.name)))"
  }

  /// A foreign key from the column to the map, by any name; with `validated`, one that holds for all rows.
  static func foreignKey(
    from column: Identifier, of table: QualifiedName, to map: QualifiedName, validated: Bool
  ) -> String {
    "SELECT EXISTS (SELECT FROM pg_catalog.pg_constraint k JOIN pg_catalog.pg_attribute a ON a.attrelid = k.conrelid "
      + "AND k.conkey = ARRAY[a.attnum] WHERE k.contype = 'f' AND k.conrelid = to_regclass(\(literal(table))) "
      + "AND k.confrelid = to_regclass(\(literal(map))) AND a.attname = \(SQLText.literal(column.name))"
      + (validated ? " AND k.convalidated)" : ")")
  }

  static func check(_ name: String, of table: QualifiedName, validated: Bool) -> String {
    "SELECT EXISTS (SELECT FROM pg_catalog.pg_constraint WHERE contype = 'c' "
      + "AND conrelid = to_regclass(\(literal(table))) AND conname = \(SQLText.literal(name))"
      + (validated ? " AND convalidated)" : ")")
  }

  static func notNull(_ column: Identifier, of table: QualifiedName) -> String {
    "SELECT EXISTS (SELECT FROM pg_catalog.pg_attribute WHERE attrelid = to_regclass(\(literal(table))) "
      + "AND attname = \(SQLText.literal(column.name)) AND NOT attisdropped AND attnotnull)"
  }

  /// Whether an insert must give the column: it is NOT NULL and nothing else gives it a value.
  static func required(_ column: Identifier, of table: QualifiedName) -> String {
    "SELECT EXISTS (SELECT FROM pg_catalog.pg_attribute WHERE attrelid = to_regclass(\(literal(table))) "
      + "AND attname = \(SQLText.literal(column.name)) AND NOT attisdropped AND attnotnull AND NOT atthasdef "
      + "AND attidentity = '')"
  }

  /// Whether the column has a default, constant or not.
  static func defaulted(_ column: Identifier, of table: QualifiedName) -> String {
    "SELECT EXISTS (SELECT FROM pg_catalog.pg_attribute WHERE attrelid = to_regclass(\(literal(table))) "
      + "AND attname = \(SQLText.literal(column.name)) AND NOT attisdropped AND atthasdef)"
  }

  /// Whether the whole old row of an update is in the stream, for every partition too.
  static func fullIdentity(of table: QualifiedName) -> String {
    "SELECT to_regclass(\(literal(table))) IS NOT NULL AND NOT EXISTS (SELECT FROM pg_catalog.pg_class AS c "
      + "WHERE c.relreplident <> 'f' AND (c.oid = to_regclass(\(literal(table))) OR c.oid IN "
      + "(SELECT relid FROM pg_catalog.pg_partition_tree(to_regclass(\(literal(table)))))))"
  }

  /// Whether a publication lists columns of the table (15 and later).
  static func columnList(of publication: Identifier, on table: QualifiedName) -> String {
    "SELECT EXISTS (SELECT FROM pg_catalog.pg_publication_rel AS r JOIN pg_catalog.pg_publication AS p "
      + "ON p.oid = r.prpubid WHERE p.pubname = \(SQLText.literal(publication.name)) "
      + "AND r.prrelid = to_regclass(\(literal(table))) AND r.prattrs IS NOT NULL)"
  }

  /// Whether the publication, where it lists columns of the table (15 and later), lists one of these.
  static func sends(anyOf columns: [Identifier], by publication: Identifier, of table: QualifiedName)
    -> String
  {
    let names = columns.map { SQLText.literal($0.name) }.joined(separator: ", ")
    return
      "SELECT NOT EXISTS (SELECT FROM pg_catalog.pg_publication_rel AS r JOIN pg_catalog.pg_publication AS p "
      + "ON p.oid = r.prpubid WHERE p.pubname = \(SQLText.literal(publication.name)) "
      + "AND r.prrelid = to_regclass(\(literal(table))) AND r.prattrs IS NOT NULL "
      + "AND NOT EXISTS (SELECT FROM pg_catalog.pg_attribute AS a WHERE a.attrelid = r.prrelid AND NOT a.attisdropped "
      + "AND a.attname IN (\(names)) AND a.attnum = ANY (r.prattrs::int2[])))"
  }

  static func triggers(_ names: [String], of table: QualifiedName) -> String {
    "SELECT count(*) = \(names.count) FROM pg_catalog.pg_trigger WHERE tgrelid = to_regclass(\(literal(table))) "
      + "AND tgname IN (\(names.map(SQLText.literal).joined(separator: ", ")))"
  }

  /// The statements that drop what a broken off `CREATE INDEX CONCURRENTLY` of this name left: it is named like the index, or
  /// with `_ccnew` behind it.
  static func invalidIndexes(_ name: String, of table: QualifiedName) -> String {
    "SELECT pg_catalog.format('DROP INDEX CONCURRENTLY %I.%I', n.nspname, c.relname) FROM pg_catalog.pg_index i "
      + "JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
      + "WHERE i.indrelid = to_regclass(\(literal(table))) AND NOT i.indisvalid "
      + "AND (c.relname = \(SQLText.literal(name)) "
      + "OR pg_catalog.starts_with(c.relname::text, \(SQLText.literal(name + "_ccnew")))) ORDER BY 1"
  }

  /// The probe of the way back: the effect does not stand.
  static func not(_ probe: String) -> String { "SELECT NOT coalesce((\(probe)), false)" }

  private static func literal(_ table: QualifiedName) -> String { SQLText.literal(table.quoted) }
}
