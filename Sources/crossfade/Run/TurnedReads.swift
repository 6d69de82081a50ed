import Derivation
import Logging
import Migration
import Postgres
import Subscriptions
import Synchronization

/// What readers are told, as the target said it last: asked about once a second on a connection of its own, which is made
/// again when it is lost. What is too old is not told: nobody knows then whether it was turned since.
final class TurnedReads: Sendable {
  /// The flag as it was read, and when; or why it could not be.
  struct Known: Sendable {
    var flag: ReadsFlag?
    var readAt: ContinuousClock.Instant?
    var fault: String?

    /// For how long a flag that was read is told.
    static let patience = Duration.seconds(10)

    /// What a reader is told.
    func answer(_ key: String?, now: ContinuousClock.Instant) throws(ReadsUnknown) -> ReadsAnswer {
      guard let flag, let readAt else {
        throw ReadsUnknown(reason: fault ?? "it was not read yet since the start")
      }
      let age = now - readAt
      guard age < Self.patience else {
        throw ReadsUnknown(
          reason: "it was read \(age.components.seconds) s ago"
            + (fault.map { ", and since then: \($0)" } ?? ""))
      }
      return ReadsAnswer(new: flag.readsNew(key: key), percent: flag.percent)
    }
  }

  private let definition: SlotDefinition
  private let interrupt: Interrupt?
  private let logger: Logger
  private let known = Mutex(Known())
  private let worker = Mutex<Worker<Bool>?>(nil)

  init(_ definition: SlotDefinition, logger: Logger) {
    self.definition = definition
    self.logger = logger
    interrupt = Interrupt()
  }

  /// What a reader is told now.
  func answer(_ key: String?) throws(ReadsUnknown) -> ReadsAnswer {
    try known.withLock { $0 }.answer(key, now: .now)
  }

  /// Begins to read it.
  func start() {
    guard let interrupt else {
      known.withLock { $0.fault = "the process is out of file descriptors" }
      return
    }
    let worker = Worker<Bool> { [self] in
      while !interrupt.isStopped {
        do throws(PostgresError) {
          try follow(interrupt)
        } catch {
          note(error)
          interrupt.wait(milliseconds: 1_000)
        }
      }
      return true
    }
    self.worker.withLock { $0 = worker }
  }

  /// Ends that.
  func stop() { interrupt?.stop() }

  /// Reads it again and again, until the connection is lost.
  private func follow(_ interrupt: Interrupt) throws(PostgresError) {
    let connection = try Connection(
      definition.source.revealed,
      options: .init(
        applicationName: "crossfade reads \(definition.slot)", settings: [("statement_timeout", "5000")]),
      interrupt: interrupt)
    repeat {
      let asked = ContinuousClock.now
      let flag = try ReadsFlag.load(slot: definition.slot, on: connection)
      known.withLock { $0 = Known(flag: flag, readAt: asked) }
    } while !interrupt.wait(milliseconds: 1_000)
  }

  private func note(_ error: PostgresError) {
    let isNew = known.withLock { known in
      defer { known.fault = "\(error)" }
      return known.fault == nil
    }
    if isNew, interrupt?.isStopped == false {
      logger.warning("what readers are told cannot be read", metadata: ["error": "\(error)"])
    }
  }
}
