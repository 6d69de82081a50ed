/// Rows that the dual-write has to write and that somebody else keeps locked.
public struct HeldRows: Sendable, Equatable {
  /// How many.
  public var count: Int
  /// The key of one of them, as a JSON array of its columns' text.
  public var key: String
  /// Whose lock it is, where the server tells: the session's pid and its `application_name`.
  public var holder: String?
  /// Since when there is one, in nanoseconds of the monotonic clock.
  public var since: UInt64
}
