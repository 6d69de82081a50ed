/// A slot, as it is served: closures that answer from what the process knows. They are called on the server's threads
/// and must not block.
public struct ServedSlot: Sendable {
  /// Its name.
  public var name: String
  /// Where it stands: one JSON object.
  public var status: @Sendable () -> String
  /// Whether a reader of a key is to take the new column; fails when that is not known, as when the target is away.
  public var reads: @Sendable (_ key: String?) throws(ReadsUnknown) -> ReadsAnswer

  /// Its events; nil where none are served.
  public var events: EventSource?

  /// A slot from its parts.
  public init(
    name: String, status: @escaping @Sendable () -> String,
    reads: @escaping @Sendable (_ key: String?) throws(ReadsUnknown) -> ReadsAnswer,
    events: EventSource? = nil
  ) {
    self.name = name
    self.status = status
    self.reads = reads
    self.events = events
  }
}

/// Which column a reader is to take.
public struct ReadsAnswer: Sendable, Hashable {
  /// The new one, for the key that was asked for.
  public var new: Bool
  /// For how many keys in a hundred that is so.
  public var percent: Int

  /// An answer from its parts.
  public init(new: Bool, percent: Int) {
    self.new = new
    self.percent = percent
  }
}

/// Which column a reader is to take is not known now.
public struct ReadsUnknown: Error, Hashable {
  /// Why, in a sentence without its full stop.
  public var reason: String

  /// A reason.
  public init(reason: String) { self.reason = reason }
}
