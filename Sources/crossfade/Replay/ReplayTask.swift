import ArgumentParser
import ChangeLog
import Derivation
import Glibc
import Operations
import PGOutput
import Postgres
import Replay

/// What the three ways of a replay share.
struct ReplayTask: Sendable {
  let definition: SlotDefinition
  let log: LogSource
  let start: ReplayStart
  let end: ReplayEnd?
  let keys: Set<RowKey>?
  /// The map given by hand.
  let states: [State]?
  let crossesDamage: Bool
  let json: Bool

  /// The range that was asked for.
  var asked: ReplayRange { ReplayRange(after: start.after, end: end?.end ?? .log) }

  func range(_ interrupt: Interrupt? = nil) throws(ReplayError) -> ResolvedRange {
    let search = ReplaySearch()
    defer { search.finish() }
    return try asked.resolved(
      in: log, derive: definition.derive, crossesDamage: crossesDamage, interrupt: interrupt,
      progress: search.show)
  }

  /// Refuses a log that was written for another slot.
  func bounds() throws(ReplayError) -> LogBounds {
    let found: LogBounds?
    do throws(ChangeLogError) { found = try log.bounds() } catch { throw .log(error) }
    guard let found else { throw .log(.noLog(directory: log.directory)) }
    guard found.origin.slot == definition.slot else {
      throw .refused(
        what: "the log in \(log.directory) is slot \(found.origin.slot)'s, not \(definition.slot)'s",
        hint: "name the definition that belongs to the log, or the log of this slot")
    }
    return found
  }

  /// What SIGINT and SIGTERM stop, between two commits.
  static func stopping() throws(Failure) -> Interrupt {
    let interrupt = try waking()
    StopSignals.install(interrupt)
    return interrupt
  }

  /// An interrupt that nothing stops: for a question that is over in a moment.
  static func waking() throws(Failure) -> Interrupt {
    guard let interrupt = Interrupt() else {
      throw Failure(summary: "out of file descriptors", hint: "raise the limit (ulimit -n)", exitCode: 71)
    }
    return interrupt
  }

  /// Does a replay's work on a thread of its own.
  static func run<Value: Sendable>(
    _ body: @escaping @Sendable () throws(ReplayError) -> Value
  ) async throws(Failure) -> Value {
    do {
      return try await onThread(body)
    } catch {
      throw Failure(error)
    }
  }

  /// A gap: what cannot be known, and why.
  static func text(_ gap: LogGap) -> String {
    "gap: what ended after \(gap.after) and before \(gap.next.map { "\($0)" } ?? "the log's end") is unknown: "
      + "\(gap.file) at byte \(gap.offset): \(gap.reason)"
  }
}
