public import ChangeLog
import Glibc
public import Logging
public import PGOutput
public import Postgres

/// Slot -> log, for as long as it is told to: connects, checks, streams, reconnects.
///
/// Runs on a thread of its own (`run()` blocks); the log is written on another.
public final class CaptureService: Sendable {
  /// Where capture stands.
  public let status = CaptureStatusBoard()

  private let plan: CapturePlan
  private let logger: Logger
  private let interrupt: Interrupt
  private let tail: LogTail
  private let checkpoint: @Sendable () throws(PostgresError) -> LSN?
  private let confirmationLimit: (@Sendable () -> LSN)?
  private let appliedPosition: @Sendable () -> LSN
  private let opened: @Sendable (OriginIdentity) -> Void

  /// - Parameters:
  ///   - interrupt: stops capture in order when stopped.
  ///   - tail: gets what is durable.
  ///   - checkpoint: the target's checkpoint, asked once before the first stream; nil when there is none.
  ///   - confirmationLimit: where confirmation waits for the dual-write: what it has committed.
  ///   - appliedPosition: what the dual-write has committed, as told to the server for `pg_stat_replication`.
  ///   - opened: called once when the log is open, with its origin; the creation point is where it begins.
  public init(
    plan: CapturePlan, logger: Logger, interrupt: Interrupt, tail: LogTail,
    checkpoint: @escaping @Sendable () throws(PostgresError) -> LSN?,
    confirmationLimit: (@Sendable () -> LSN)?, appliedPosition: @escaping @Sendable () -> LSN,
    opened: @escaping @Sendable (OriginIdentity) -> Void
  ) {
    self.plan = plan
    self.logger = logger
    self.interrupt = interrupt
    self.tail = tail
    self.checkpoint = checkpoint
    self.confirmationLimit = confirmationLimit
    self.appliedPosition = appliedPosition
    self.opened = opened
  }

  /// Captures until stopped; throws what cannot mend itself.
  public func run() throws(CaptureError) {
    defer { status.update { $0.phase = .stopped } }
    var session = CaptureSession(
      plan: plan, logger: logger, interrupt: interrupt, status: status, confirmationLimit: confirmationLimit,
      appliedPosition: appliedPosition)
    let feed: LogFeed
    do {
      feed = try start(&session)
    } catch {
      if interrupt.isStopped { return }
      throw error
    }
    defer { feed.close() }
    var backoff = Backoff(firstMilliseconds: 50, lastMilliseconds: 10_000)
    while !interrupt.isStopped {
      do {
        try session.stream(into: feed) { backoff.succeeded() }
        if interrupt.isStopped { return }
        logger.warning("the server has ended the stream; connecting again")
      } catch {
        guard let cause = Self.passing(error) else {
          if interrupt.isStopped, case .postgres(.interrupted) = error { return }
          throw error
        }
        reconnecting(after: cause)
      }
      pause(milliseconds: backoff.next())
    }
  }

  /// What is worth another try while we run: a server that is away, a slot that is still held, and a standby, which may
  /// be promoted in the next moment. At a start a standby is refused: then it is the definition that names it.
  private static func passing(_ error: CaptureError) -> String? {
    switch error {
    case .postgres(let cause) where cause.isRetriable || cause.sqlState == .objectInUse: "\(cause)"
    case .refused(.standby): "\(error)"
    default: nil
    }
  }

  /// The first connection: an error that will not mend itself is told at once, a server that is away is waited for.
  private func start(_ session: inout CaptureSession) throws(CaptureError) -> LogFeed {
    var backoff = Backoff(firstMilliseconds: 100, lastMilliseconds: 5000)
    while true {
      do {
        let log = try session.open(checkpoint: checkpoint, tail: tail)
        let writer = log.writer
        let feed = LogFeed(durable: writer.watermark, interrupt: interrupt)
        let thread = LogThread(
          writer: writer, spools: log.spools, feed: feed, tail: tail, status: status, interrupt: interrupt,
          logger: logger)
        _ = Worker<Bool> {
          thread.run()
          return true
        }
        opened(writer.origin)
        return feed
      } catch {
        guard case .postgres(let cause) = error, cause.isRetriable, !interrupt.isStopped else { throw error }
        reconnecting(after: "\(cause)")
        pause(milliseconds: backoff.next())
      }
    }
  }

  private func reconnecting(after cause: String) {
    logger.warning("the source is away; trying again", metadata: ["error": "\(cause)"])
    status.update { status in
      status.reconnects &+= 1
      if case .reconnecting = status.phase { return }
      status.phase = .reconnecting(reason: cause, since: Deadline.now)
    }
  }

  private func pause(milliseconds: Int) {
    interrupt.wait(milliseconds: milliseconds)
  }
}
