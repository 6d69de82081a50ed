/// A subscriber to events, as `crossfade run` last said.
public struct SubscriberStanding: Sendable, Equatable {
  /// Whose token it came with; nil where nobody is asked for one.
  public var name: String?
  /// How many bytes of the log it has before it.
  public var behind: UInt64
  /// For how many seconds it has taken nothing of what was given to it; nil when that is not long.
  public var stalled: Int64?
  /// Where it asks from: address and port.
  public var peer: String?
  /// What it has taken from us, as positions are written; nil where it is not known.
  public var position: String?

  /// A standing from its parts.
  public init(
    name: String?, behind: UInt64, stalled: Int64?, peer: String? = nil, position: String? = nil
  ) {
    self.name = name
    self.behind = behind
    self.stalled = stalled
    self.peer = peer
    self.position = position
  }
}
