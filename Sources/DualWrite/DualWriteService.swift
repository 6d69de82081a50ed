public import ChangeLog
import Derivation
import FailPoints
public import Logging
public import PGOutput
public import Postgres

/// Log -> target, for as long as the log goes on. Runs on a thread of its own (`run()` blocks).
public final class DualWriteService: Sendable {
  /// Where it stands.
  public let status = DualWriteStatusBoard()

  private let plan: DualWritePlan
  private let directory: String
  private let restore: LogRestore?
  private let tail: LogTail
  private let logger: Logger
  private let interrupt: Interrupt

  /// - Parameters:
  ///   - directory: the change log.
  ///   - restore: how what is no longer held of it is brought back, where it is archived.
  ///   - tail: its live end; when it closes, what is left is applied and `run` returns.
  ///   - interrupt: ends the work at once, between two commits.
  public init(
    plan: DualWritePlan, directory: String, restore: LogRestore? = nil, tail: LogTail, logger: Logger,
    interrupt: Interrupt
  ) {
    self.plan = plan
    self.directory = directory
    self.restore = restore?.stopping { interrupt.isStopped }
    self.tail = tail
    self.logger = logger
    self.interrupt = interrupt
  }

  /// Applies until the tail is closed and drained, or the interrupt is stopped; throws what cannot mend itself.
  ///
  /// - Parameters:
  ///   - origin: whose log it is.
  ///   - start: the log's first position, for a slot without checkpoint.
  public func run(origin: OriginIdentity, start: LSN) throws(DualWriteError) {
    defer { status.update { $0.phase = .stopped } }
    var backoff = Backoff(firstMilliseconds: 50, lastMilliseconds: 5000)
    while !interrupt.isStopped {
      do {
        let session = try TargetSession(
          plan: plan, origin: origin, start: start, interrupt: interrupt, logger: logger)
        var applier = try Applier(
          session: session, plan: plan, directory: directory, restore: restore, tail: tail, status: status,
          interrupt: interrupt, logger: logger)
        backoff.succeeded()
        try applier.run()
        return
      } catch {
        guard let reason = Self.retriable(error) else {
          if interrupt.isStopped { return }
          throw error
        }
        if interrupt.isStopped || tail.isClosed { return }
        let isRefused = Self.isOfTrigger(error)
        logger.warning("\(Self.sentence(error)); trying again", metadata: ["error": "\(reason)"])
        status.update { status in
          status.retries &+= 1
          if case .retrying = status.phase { return }
          status.phase = .retrying(reason: reason, since: Deadline.now)
        }
        interrupt.wait(milliseconds: isRefused ? Self.refusedWait : backoff.next())
      }
    }
  }

  /// Between two tries of what only somebody else can mend, in milliseconds.
  private static let refusedWait = 2000

  /// Whether code of the application's that fires on our writes names what it does not find: its trigger's function relies on a
  /// `search_path` that is not ours. What we name ourselves is missed when it is prepared (`missingObject`).
  private static func isOfTrigger(_ error: DualWriteError) -> Bool {
    guard case .postgres(let cause) = error else { return false }
    // undefined_table, undefined_column, undefined_function, undefined_object
    return ["42P01", "42703", "42883", "42704"].contains(cause.sqlState?.rawValue)
  }

  private static func sentence(_ error: DualWriteError) -> String {
    if isOfTrigger(error) { return "the target refuses our writes" }
    if case .postgres(let cause) = error, cause.sqlState == .lockNotAvailable {
      return "somebody keeps the target's table locked"
    }
    return "the target is away"
  }

  private static func retriable(_ error: DualWriteError) -> String? {
    switch error {
    case .postgres(.interrupted): return nil
    case .postgres(let cause) where cause.isRetriable: return "\(cause)"
    // It may be promoted in the next moment; capture refuses one that is named for good.
    case .standby: return "\(error)"
    // A predecessor that was killed leaves its session for a moment, and the origin with it.
    case .postgres(let cause) where cause.sqlState == .objectInUse: return "\(cause)"
    case .heldElsewhere: return "\(error)"
    // Capture and log go on meanwhile, and whoever mends the trigger need not start us again.
    case .postgres(let cause) where isOfTrigger(error): return "\(cause)"
    default: return nil
    }
  }
}
