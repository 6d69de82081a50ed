/// A slot, as it is served: closures that answer from what the process knows. They are called on the server's threads
/// and must not block.
public struct ServedSlot: Sendable {
  /// Its name.
  public var name: String
  /// Where it stands: one JSON object.
  public var status: @Sendable () -> String
  /// Whether a reader of a key is to take the new column; nil when that is not known (the target is away, or no cutover
  /// was ever begun).
  public var reads: @Sendable (_ key: String?) -> ReadsAnswer?

  /// Its events; nil where none are served.
  public var events: EventSource?

  /// A slot from its parts.
  public init(
    name: String, status: @escaping @Sendable () -> String,
    reads: @escaping @Sendable (_ key: String?) -> ReadsAnswer?, events: EventSource? = nil
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
