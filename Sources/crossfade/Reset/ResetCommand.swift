import ArgumentParser
import Derivation
import Migration
import Operations
import Postgres

/// `crossfade reset`: begin anew, with a gap that somebody has looked at.
struct ResetCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "reset",
    abstract:
      "Declares a gap: sets the change log aside and forgets the checkpoint, so that capture may begin anew.",
    discussion: """
      For when `crossfade run` refuses because the slot, the log and the target do not fit together any more. Without \
      --accept-gap it only says what it would do. The log is renamed, never deleted, and no row of the ledger is \
      touched. Refuses while `crossfade run` is at work.

      Exit code 0: done; 3: refused, or --accept-gap is missing; 69: the server cannot be reached.
      """)

  @OptionGroup var slot: SlotFile
  @Flag(help: "Do it. The changes of the gap never pass through the stream: backfill and verify afterwards.")
  var acceptGap = false
  @Flag(help: "Drop the replication slot too: needed when its WAL is lost.") var dropSlot = false
  @Flag(help: "Print one JSON object.") var json = false

  func run() async throws {
    try await atTheEdge {
      let definition = try slot.load()
      guard let interrupt = Interrupt() else {
        throw Failure(summary: "out of file descriptors", hint: "raise the limit (ulimit -n)", exitCode: 71)
      }
      StopSignals.install(interrupt)
      let (dropSlot, acceptGap) = (dropSlot, acceptGap)
      let report: ResetReport
      do throws(ResetError) {
        report = try await onThread { () throws(ResetError) -> ResetReport in
          let connection: Connection
          do throws(PostgresError) {
            connection = try Connection(
              definition.source.revealed,
              options: .init(
                applicationName: "crossfade reset \(definition.slot)",
                settings: [("search_path", "pg_catalog")]),
              interrupt: interrupt)
          } catch {
            throw .postgres(error)
          }
          let reset = Reset(definition: definition, dropsSlot: dropSlot, connection: connection)
          let plan = try reset.plan()
          return ResetReport(plan: plan, renamed: acceptGap ? try reset.run(plan) : nil, isDone: acceptGap)
        }
      } catch {
        throw Failure(error)
      }
      print(json ? report.json.compact : report.text)
      if !report.isDone, !report.plan.isEmpty { throw ExitCode.refused }
    }
  }
}

extension Failure {
  /// A failure of a reset.
  init(_ error: ResetError) {
    switch error {
    case .postgres(let cause): self.init(cause)
    case .log(let cause):
      self.init(cause)
      hint = error.hint ?? hint
    case .slotActive, .slotLost, .slotTwoPhase, .applied, .replayed:
      self.init(summary: error.description, hint: error.hint, exitCode: ExitCode.refused.rawValue)
    }
  }
}
