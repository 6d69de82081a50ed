/// How a cutover is carried out.
public struct CutoverOptions: Sendable {
  /// The share of the reads that is to use the new column.
  public var percent = 100
  /// Milliseconds that the stream and the verification are given to come up to what is committed now.
  public var patience = 10_000
  /// Milliseconds that the look at all statuses of the table may take, where no index helps.
  public var scan = 5_000
  /// Milliseconds that the dual-write is given to turn.
  public var turn = 60_000
  /// How long no write of the new column alone may have been seen before only the old one counts again, in seconds.
  public var quiet = GateFacts.loneWindow
  /// Whether the old column stays nullable on the way back, where it was required before.
  public var keepsNullable = false

  /// All reads, ten seconds of patience, a minute for the turn.
  public init() {}
}
