import ChangeLog
import DualWrite
public import PGOutput
import Postgres

/// Where a slot stands: the servers, the log and the process, put together.
public struct Standing: Sendable {
  /// The slot's name.
  public var slot: String
  /// What the servers say; nil when they cannot be asked.
  public var server: ServerStanding?
  /// Why they cannot be asked.
  public var outage: String?
  /// The log.
  public var log: LogStanding
  /// The process; nil when none has ever said anything.
  public var process: ProcessStanding?
  /// What moves a second; nil before the second look.
  public var rates: Rates?
  /// When this was looked at.
  public var now: Timestamp

  /// A standing from its parts.
  public init(
    slot: String, server: ServerStanding?, outage: String? = nil, log: LogStanding, process: ProcessStanding?,
    rates: Rates? = nil, now: Timestamp
  ) {
    self.slot = slot
    self.server = server
    self.outage = outage
    self.log = log
    self.process = process
    self.rates = rates
    self.now = now
  }

  /// What moves a second.
  public struct Rates: Sendable, Equatable {
    /// Transactions applied.
    public var transactions: Double
    /// Row changes applied.
    public var changes: Double
    /// Bytes of WAL the server writes.
    public var walBytes: Double

    /// The rates between two looks so many seconds apart; nil when there is nothing to compare.
    public init?(from first: ServerStanding, to second: ServerStanding, seconds: Double) {
      guard seconds > 0 else { return nil }
      let (a, b) = (first.checkpoint, second.checkpoint)
      transactions = Double(max(0, (b?.transactions ?? 0) - (a?.transactions ?? 0))) / seconds
      changes = Double(max(0, (b?.changes ?? 0) - (a?.changes ?? 0))) / seconds
      walBytes = Double(second.current.bytes(since: first.current)) / seconds
    }
  }

  /// One step on the way of a change.
  public struct Stage: Sendable, Equatable {
    /// `sent`, `received`, `logged`, `applied` or `confirmed`.
    public var name: String
    /// Everything up to here has taken this step.
    public var position: LSN?
    /// Bytes of WAL that have not.
    public var bytesBehind: UInt64?
    /// How long the oldest of them waits, in seconds; nil where nobody measures it.
    public var secondsBehind: Double?
  }

  /// The steps, in the order of the way.
  public var stages: [Stage] {
    let sender = server?.sender
    let live = process?.isCurrent == true ? process : nil
    return [
      stage("sent", sender?.sent ?? live?.sent, nil),
      stage("received", sender?.written ?? live?.received, sender?.writeLag),
      stage("logged", log.summary?.watermark, sender?.flushLag), stage("applied", applied, unappliedAge),
      stage("confirmed", server?.slot?.confirmedFlushLSN ?? live?.confirmed, nil),
    ]
  }

  /// Everything up to here is applied: the checkpoint, or, when the log holds nothing more, all that the log stands for.
  public var applied: LSN? {
    guard let checkpoint = server?.checkpoint?.endLSN else { return process?.applied }
    guard let summary = log.summary, summary.end <= checkpoint else { return checkpoint }
    return max(checkpoint, summary.watermark)
  }

  /// How long the oldest transaction that is not applied waits, in seconds; zero when all are applied.
  public var unappliedAge: Double? {
    guard let oldest = log.oldestUnapplied else {
      return server?.checkpoint != nil && log.summary != nil && log.trouble == nil ? 0 : nil
    }
    return max(0, Double(now.unixMicroseconds - oldest.unixMicroseconds) / 1_000_000)
  }

  private func stage(_ name: String, _ position: LSN?, _ seconds: Double?) -> Stage {
    let valid = position.flatMap { $0.isValid ? $0 : nil }
    let bytes = valid.flatMap { position in server.map { $0.current.bytes(since: position) } }
    return Stage(name: name, position: valid, bytesBehind: bytes, secondsBehind: bytes == 0 ? 0 : seconds)
  }
}
