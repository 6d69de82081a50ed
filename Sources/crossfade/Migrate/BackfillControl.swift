import ArgumentParser
import Derivation
import Migration
import Operations
import Postgres

/// Says something to a backfill: through its socket, or, where nobody listens there, by SQL.
struct BackfillControl {
  let definition: SlotDefinition
  let command: ControlCommand
  let json: Bool

  func run() async throws(Failure) {
    if !json, let answer = ControlSocket.ask(command.words, directory: definition.log.directory) {
      print(answer, terminator: "")
      if answer.hasPrefix("error: ") {
        throw Failure(
          summary: "the backfill did not take `\(command.words)`", exitCode: ExitCode.refused.rawValue)
      }
      return
    }
    let (definition, command) = (definition, command)
    let (progress, control) = try await MigrationSession.run {
      (interrupt) throws(MigrationError) -> (BackfillProgress?, ControlState) in
      try Self.bySQL(definition, command, interrupt)
    }
    if json {
      print(Self.json(progress, control).compact)
    } else {
      for line in Self.lines(command, progress, control) { print(line) }
    }
  }

  private static func bySQL(
    _ definition: SlotDefinition, _ command: ControlCommand, _ interrupt: Interrupt
  ) throws(MigrationError) -> (BackfillProgress?, ControlState) {
    let connection = try MigrationSession.connect(definition, "control", interrupt)
    do throws(PostgresError) {
      let progress = try BackfillProgress.load(slot: definition.slot, on: connection)
      if !command.isQuestion {
        try WishTable.ensure(on: connection)
        let by = try connection.query("SELECT session_user", purpose: "ask who we are")[0, 0] ?? "SQL"
        try WishTable.write(command, slot: definition.slot, by: by, on: connection)
      }
      return (progress, try WishTable.load(slot: definition.slot, on: connection))
    } catch {
      if error.sqlState == .undefinedSchema {
        throw .notReady(
          what: "there is no schema crossfade yet, and so nothing to tell a backfill",
          hint: "`crossfade expand SLOT` makes it")
      }
      throw .postgres(error)
    }
  }

  private static func lines(
    _ command: ControlCommand, _ progress: BackfillProgress?, _ control: ControlState
  ) -> [String] {
    if !command.isQuestion {
      let when =
        progress?.runner == nil
        ? "no backfill runs: it counts when one is started" : "it counts within a batch"
      return ["written down: \(command.words); \(when)"]
    }
    var lines = ["nobody listens on the backfill's socket; this is what stands in the database"]
    lines.append(progress.map { BackfillReport($0).standingText } ?? "not begun")
    let by = control.by.map { ", by \($0)" } ?? ""
    if control.isPaused { lines.append("paused\(by)\(control.at.map { ", \($0)" } ?? "")") }
    if let settings = control.settings { lines.append("asked for: \(settings)\(by)") }
    return lines
  }

  private static func json(_ progress: BackfillProgress?, _ control: ControlState) -> JSONValue {
    [
      "backfill": progress.map { BackfillReport($0).standing } ?? .null,
      "control": [
        "paused": .bool(control.isPaused), "pace": .number(control.pace),
        "batch": control.batch.map { .integer(Int64($0)) } ?? .null,
        "by": control.by.map { .string($0) } ?? .null, "at": control.at.map { .string($0) } ?? .null,
      ],
    ]
  }
}
