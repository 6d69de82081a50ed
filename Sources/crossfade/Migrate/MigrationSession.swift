import ArgumentParser
import Derivation
import Glibc
import Migration
import Operations
import Postgres

/// What the migration's commands share: an interrupt that signals stop, and work on a thread of its own.
enum MigrationSession {
  /// Runs a step; SIGINT and SIGTERM end it between two commits, and it can be run again.
  static func run<Value: Sendable>(
    _ body: @escaping @Sendable (Interrupt) throws(MigrationError) -> Value
  ) async throws(Failure) -> Value {
    guard let interrupt = Interrupt() else {
      throw Failure(summary: "out of file descriptors", hint: "raise the limit (ulimit -n)", exitCode: 71)
    }
    StopSignals.install(interrupt)
    do {
      return try await onThread { () throws(MigrationError) -> Value in try body(interrupt) }
    } catch {
      throw Failure(error)
    }
  }

  /// A session for questions and DDL.
  static func connect(
    _ definition: SlotDefinition, _ purpose: String, _ interrupt: Interrupt
  ) throws(MigrationError) -> Connection {
    do {
      return try Connection(
        definition.source.revealed,
        options: .init(
          applicationName: "crossfade \(purpose) \(definition.slot)",
          settings: [("search_path", "pg_catalog")]),
        interrupt: interrupt)
    } catch {
      throw .postgres(error)
    }
  }
}

extension Failure {
  /// A failure of a migration's step.
  init(_ error: MigrationError) {
    switch error {
    case .postgres(.interrupted(let purpose)):
      self.init(
        summary: "stopped while trying to \(purpose)", hint: "run it again: it goes on where it was",
        isRetriable: true, exitCode: ExitCode.temporaryFailure.rawValue)
    case .postgres(let cause): self.init(cause)
    case .log(let cause): self.init(cause)
    case .lockNotObtained:
      self.init(
        summary: error.description, hint: error.hint, isRetriable: true,
        exitCode: ExitCode.temporaryFailure.rawValue)
    case .lockLost, .notTurned:
      self.init(
        summary: error.description, hint: error.hint, isRetriable: true,
        exitCode: ExitCode.temporaryFailure.rawValue)
    case .notReady, .mapDiffers, .heldElsewhere, .busy:
      self.init(summary: error.description, hint: error.hint, exitCode: ExitCode.refused.rawValue)
    }
  }
}
