public import Derivation

extension Hazard {
  /// The hazard that a definition accepts.
  public init?(_ accepted: AcceptedHazard) { self.init(rawValue: accepted.rawValue) }

  /// What it means for those who run the ledger, in a sentence without its full stop.
  public var meaning: String {
    switch self {
    case .accessExclusiveLock:
      "readers and writers of the table wait for a moment, at most the lock_timeout longer"
    case .shareRowExclusiveLock: "writers of the table wait for a moment, at most the lock_timeout longer"
    case .indexBuild: "I/O while it is built, and a little more work for each write from then on"
    case .performance: "long work that the server feels: I/O, WAL, vacuum, cache"
    case .hotReference: "each insert locks a row of the small map; writers that meet there make MultiXacts"
    case .correctness: "a statement of an application may do, or return, something else from then on"
    case .untrackableDependencies: "functions' bodies and applications may use it; no catalog tells"
    case .deletesData: "data is gone afterwards"
    }
  }
}
