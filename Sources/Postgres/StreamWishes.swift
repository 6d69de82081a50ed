/// What is asked of a stream; what it comes to depends on the server (`StreamNegotiation`).
///
/// The defaults are those of `CREATE SUBSCRIPTION`, but for streaming: a spool on disk makes it cheap.
public struct StreamWishes: Sendable, Hashable {
  /// Large transactions are sent while they run.
  public var streaming = true
  /// Prepared transactions are sent when they are prepared, not when they commit.
  public var twoPhase = false
  /// Values come in their types' binary form.
  public var binary = false
  /// Changes that carry a replication origin stay at the server.
  public var withoutOrigins = false

  /// The wishes; each has its default.
  public init(
    streaming: Bool = true, twoPhase: Bool = false, binary: Bool = false, withoutOrigins: Bool = false
  ) {
    self.streaming = streaming
    self.twoPhase = twoPhase
    self.binary = binary
    self.withoutOrigins = withoutOrigins
  }
}
