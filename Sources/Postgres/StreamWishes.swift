/// What is asked of a stream; what it comes to depends on the server (`StreamNegotiation`).
///
/// Nothing is wished for unless it is named. Not streaming either: up to 18 a server that has spilled a savepoint's changes
/// before it streams them does not say that the savepoint was rolled back (`reorderbuffer.c ReorderBufferTruncateTXN`).
public struct StreamWishes: Sendable, Hashable {
  /// Large transactions are sent while they run.
  public var streaming = false
  /// Prepared transactions are sent when they are prepared, not when they commit.
  public var twoPhase = false
  /// Values come in their types' binary form.
  public var binary = false
  /// Changes that carry a replication origin stay at the server.
  public var withoutOrigins = false

  /// The wishes; each has its default.
  public init(
    streaming: Bool = false, twoPhase: Bool = false, binary: Bool = false, withoutOrigins: Bool = false
  ) {
    self.streaming = streaming
    self.twoPhase = twoPhase
    self.binary = binary
    self.withoutOrigins = withoutOrigins
  }
}
