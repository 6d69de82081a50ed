extension LockMode {
  /// The modes that wait while this one is held, and the other way round (PostgreSQL, table 13.2).
  public var conflicts: Set<LockMode> {
    switch self {
    case .accessShare: [.accessExclusive]
    case .rowShare: [.exclusive, .accessExclusive]
    case .rowExclusive: [.share, .shareRowExclusive, .exclusive, .accessExclusive]
    case .shareUpdateExclusive:
      [.shareUpdateExclusive, .share, .shareRowExclusive, .exclusive, .accessExclusive]
    case .share: [.rowExclusive, .shareUpdateExclusive, .shareRowExclusive, .exclusive, .accessExclusive]
    case .shareRowExclusive:
      [.rowExclusive, .shareUpdateExclusive, .share, .shareRowExclusive, .exclusive, .accessExclusive]
    case .exclusive: Set(Self.allCases).subtracting([.accessShare])
    case .accessExclusive: Set(Self.allCases)
    }
  }

  /// As `pg_locks.mode` writes it: `AccessExclusiveLock`.
  var catalogName: String {
    rawValue.split(separator: " ").map { $0.prefix(1) + $0.dropFirst().lowercased() }.joined() + "Lock"
  }
}
