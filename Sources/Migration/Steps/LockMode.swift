/// A table-level lock, from the weakest to the strongest (PostgreSQL, "Explicit Locking").
public enum LockMode: String, Sendable, CaseIterable, Comparable {
  case accessShare = "ACCESS SHARE"
  case rowShare = "ROW SHARE"
  case rowExclusive = "ROW EXCLUSIVE"
  case shareUpdateExclusive = "SHARE UPDATE EXCLUSIVE"
  case share = "SHARE"
  case shareRowExclusive = "SHARE ROW EXCLUSIVE"
  case exclusive = "EXCLUSIVE"
  case accessExclusive = "ACCESS EXCLUSIVE"

  /// By strength.
  public static func < (one: LockMode, other: LockMode) -> Bool { one.place < other.place }

  /// Whether applications that write must wait while it is held.
  public var blocksWriters: Bool { self >= .share }

  /// Whether applications that read must wait while it is held.
  public var blocksReaders: Bool { self == .accessExclusive }

  private var place: Int { Self.allCases.firstIndex(of: self) ?? 0 }
}
