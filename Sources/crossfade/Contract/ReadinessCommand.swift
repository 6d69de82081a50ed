import ArgumentParser
import Derivation
import Glibc
import Migration
import Operations
import Postgres

/// `crossfade readiness`: may the old column go?
struct ReadinessCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "readiness",
    abstract: "Shows what keeps the old column from being retired, and who still writes the old way.",
    discussion: """
      Reads only. Exit code 0: `crossfade contract` may begin, or has done its work; 1: something stands in the way; 69: \
      the server cannot be reached. With --watch: 0, ended by Ctrl-C.
      """)

  @OptionGroup var slot: SlotFile
  @Flag(help: "Print one JSON object; with --watch one a line.") var json = false
  @OptionGroup var watching: WatchOption

  func run() async throws {
    try await atTheEdge {
      let definition = try slot.load()
      let (json, watch) = (json, watching.seconds)
      let isReady = try await MigrationSession.run { (interrupt) throws(MigrationError) -> Bool in
        let screen = WatchScreen(inPlace: !json && watch != nil && Terminal.standardOutput.rewritesLines)
        var isReady = false
        repeat {
          // A session for each look: one that is kept would be lost with the first failover.
          let connection = try MigrationSession.connect(definition, "readiness", interrupt)
          let readiness = try Readiness.take(definition, on: connection, interrupt: interrupt)
          isReady = readiness.isReady || readiness.column != .stands
          let report = ReadinessReport(readiness)
          let text = json ? report.json.compact : report.text
          if watch == nil { print(text) } else { screen.show(text) }
        } while watch.map { !interrupt.wait(milliseconds: Int($0 * 1000)) } ?? false
        return isReady || watch != nil
      }
      if !isReady { throw ExitCode.differences }
    }
  }
}
