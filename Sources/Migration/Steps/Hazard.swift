/// What an operator should know of a step before it runs, by type: `--accept TYPE` names it. The types are
/// pg-schema-diff's where it has one.
public enum Hazard: String, Sendable, CaseIterable, Comparable {
  /// A lock that keeps readers and writers out, for a moment.
  case accessExclusiveLock = "ACQUIRES_ACCESS_EXCLUSIVE_LOCK"
  /// A lock that keeps writers out, for a moment.
  case shareRowExclusiveLock = "ACQUIRES_SHARE_ROW_EXCLUSIVE_LOCK"
  /// An index is built or dropped: I/O, and what it costs the writers from then on.
  case indexBuild = "INDEX_BUILD"
  /// Long work that the server feels: WAL, vacuum, cache.
  case performance = "IMPACTS_DATABASE_PERFORMANCE"
  /// A foreign key to a tiny table that every writer refers to: MultiXact members, row share locks.
  case hotReference = "HOT_REFERENCED_ROWS"
  /// Applications may see a change in what a statement does or returns.
  case correctness = "CORRECTNESS"
  /// Something depends on it that the catalogs do not tell: functions' bodies, applications.
  case untrackableDependencies = "HAS_UNTRACKABLE_DEPENDENCIES"
  /// Data is gone afterwards.
  case deletesData = "DELETES_DATA"

  /// In the order they are declared in.
  public static func < (one: Hazard, other: Hazard) -> Bool { one.place < other.place }

  private var place: Int { Self.allCases.firstIndex(of: self) ?? 0 }
}
