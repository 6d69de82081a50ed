/// How far a migration has come. Each phase is reached by its steps and left, forward or back, only by them.
public enum Phase: String, Sendable, CaseIterable, Comparable {
  /// Nothing stands in the target yet.
  case planned
  /// The new representation stands beside the old one, empty.
  case expanded
  /// Changes are captured and written to the new column.
  case capturing
  /// The rows that were there before are derived, too; index and foreign key stand.
  case backfilled
  /// A whole verification found no difference, at a known LSN.
  case verified
  /// Readers use the new column; the old one is kept in step from it.
  case cutOver = "cut over"
  /// The old column is gone.
  case contracted

  /// In the order of a migration.
  public static func < (one: Phase, other: Phase) -> Bool { one.place < other.place }

  private var place: Int { Self.allCases.firstIndex(of: self) ?? 0 }
}
