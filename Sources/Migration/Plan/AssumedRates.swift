/// How fast a server is that was not seen at work yet. Measured by `Benchmarks/plan-rates.sql` on two cores, PostgreSQL 15,
/// two million rows in memory, and rounded down; docs/plan.md tells how they were had.
enum AssumedRates {
  /// Rows a second.
  static let backfill = 150_000.0
  static let indexScan = 1_200_000.0
  static let validateForeignKey = 900_000.0
  static let validateCheck = 5_000_000.0
  static let verify = 1_000_000.0
  /// Bytes a row of a btree over few values, which are kept once for many rows (13 and later).
  static let indexBytes = 7.0
  /// Bytes of WAL beside a row's own: its record's headers, and a record for each index of the table.
  static let walRecord = 60.0
  static let walIndexEntry = 75.0
  /// Of an index's page, written whole after a checkpoint, for each row.
  static let walIndexPage = 25.0

  static let source = "assumed: measured elsewhere, docs/plan.md"
}
