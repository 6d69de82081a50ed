public import PGOutput

/// What `crossfade run` last said of archiving and retention.
public struct KeepingStanding: Sendable, Equatable {
  /// How archiving stands.
  public struct Archive: Sendable, Equatable {
    /// Up to where everything is archived.
    public var through: LSN?
    /// Sealed segments that wait for it.
    public var waiting: Int
    /// When the oldest of them was sealed, in seconds since 1970.
    public var waitingSince: Int64?
    /// The failure that is being tried again.
    public var failing: String?

    /// A standing from its parts.
    public init(through: LSN?, waiting: Int, waitingSince: Int64?, failing: String?) {
      self.through = through
      self.waiting = waiting
      self.waitingSince = waitingSince
      self.failing = failing
    }
  }

  /// Nil when nothing is archived.
  public var archive: Archive?
  /// Whether nothing is ever dropped.
  public var keepsAll: Bool
  /// Segments dropped since the start.
  public var dropped: Int
  /// What retention waits for.
  public var waitsFor: String?

  /// A standing from its parts.
  public init(archive: Archive?, keepsAll: Bool, dropped: Int, waitsFor: String?) {
    self.archive = archive
    self.keepsAll = keepsAll
    self.dropped = dropped
    self.waitsFor = waitsFor
  }
}
