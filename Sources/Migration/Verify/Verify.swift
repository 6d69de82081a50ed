public import Derivation
import DualWrite
public import Logging
import PGOutput
public import Postgres

/// Compares the new column with what the map makes of the old one: completeness, correctness, integrity.
///
/// - A row counts as wrong only when it is still wrong, in the same version, after the stream has passed the position read
///   when it was seen: what is merely on its way raises no alarm.
/// - Each look is a statement of its own: no snapshot is held that would keep vacuum from its work, and no lock.
/// - The session writes nothing but its own progress.
public struct Verify {
  let definition: SlotDefinition
  let options: VerifyOptions
  let interrupt: Interrupt
  let logger: Logger
  let applied: (Connection, LSN) throws(PostgresError) -> LSN

  /// A verification of a slot.
  public init(
    definition: SlotDefinition, options: VerifyOptions = VerifyOptions(), interrupt: Interrupt, logger: Logger
  ) {
    self.init(definition: definition, options: options, interrupt: interrupt, logger: logger) {
      (connection, enough) throws(PostgresError) in
      try AppliedPosition(definition, on: connection).read(enough: enough)
    }
  }

  /// - Parameter applied: up to where everything committed is applied; the position given would be enough.
  init(
    definition: SlotDefinition, options: VerifyOptions, interrupt: Interrupt, logger: Logger,
    applied: @escaping (Connection, LSN) throws(PostgresError) -> LSN
  ) {
    self.definition = definition
    self.options = options
    self.interrupt = interrupt
    self.logger = logger
    self.applied = applied
  }

  /// Looks, waits for what is on its way, and tells what is wrong. `report` is called after every look.
  public func run(report: (VerifyProgress) -> Void = { _ in }) throws(MigrationError) -> Verification {
    var rest = options.scope
    return try again { (mayTakeUp) throws(MigrationError) in
      // A lost session is followed by another that goes on where the pass was, not by one that begins anew.
      if mayTakeUp, case .whole = rest { rest = .whole(restart: false) }
      let opened = try VerifyOpening(self).open()
      let looking = VerifyLooking(opened: opened, options: options, interrupt: interrupt)
      switch rest {
      case .whole(let restart):
        var pass = try looking.pass(restart: restart)
        rest = .whole(restart: false)
        return try looking.finish(&pass, report)
      case .recent(let seconds): return try looking.recent(seconds: seconds, report)
      case .sample(let rows, let seed): return try looking.sample(rows: rows, seed: seed, report)
      }
    }
  }

  /// Tries again on a new session while the server may come back.
  func again<Value>(
    _ body: (_ isAnother: Bool) throws(MigrationError) -> Value
  ) throws(MigrationError) -> Value {
    var waits = Backoff(firstMilliseconds: 100, lastMilliseconds: 5000)
    var isAnother = false
    while true {
      do throws(MigrationError) {
        return try body(isAnother)
      } catch {
        // What fails at once is told at once: an address or a password does not mend itself.
        guard case .postgres(let cause) = error, cause.isRetriable else { throw error }
        if case .connectionFailed = cause, !isAnother { throw error }
        isAnother = true
        logger.warning("the verification goes on in a moment", metadata: ["error": "\(cause)"])
        if interrupt.wait(milliseconds: waits.next()) { throw .postgres(.interrupted(purpose: "verify")) }
      }
    }
  }
}

extension MigrationError {
  /// Runs what asks the server.
  static func asking<Value>(
    _ body: () throws(PostgresError) -> Value
  ) throws(MigrationError) -> Value {
    do { return try body() } catch { throw .postgres(error) }
  }
}
