import ArgumentParser
import Derivation
import Glibc
import Migration
import Operations
import Postgres

/// `crossfade status`: where a slot stands.
struct StatusCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "status",
    abstract: "Shows how far a slot's changes are: sent, received, logged, applied, confirmed.",
    discussion: """
      Works beside `crossfade run`, without it, and while the server is down: then it shows what the log and the last \
      word of the process tell.

      Exit code 0: it could be told; 66 or 78: the definition cannot be read, or is wrong; 69: the server cannot be \
      reached (what the log tells is shown all the same). With --watch: 0, ended by Ctrl-C.
      """)

  @OptionGroup var slot: SlotFile
  @Flag(help: "Print one JSON object; with --watch one a line.") var json = false
  @OptionGroup var watching: WatchOption

  func run() async throws {
    try await atTheEdge {
      let definition = try slot.load()
      guard let interrupt = Interrupt() else {
        throw Failure(summary: "out of file descriptors", hint: "raise the limit (ulimit -n)", exitCode: 71)
      }
      StopSignals.install(interrupt)
      let (json, watch) = (json, watching.seconds)
      let outage = await Worker<PostgresError?> {
        let observer = StandingObserver(definition: definition, interrupt: interrupt)
        guard let watch else { return Self.once(observer, json, interrupt) }
        Self.again(observer, json, interrupt, milliseconds: Int(watch * 1000))
        return nil
      }.value
      if let outage {
        if case .interrupted = outage { throw ExitCode.temporaryFailure }
        throw ExitCode(Failure(outage).exitCode)
      }
    }
  }

  /// Two looks a second apart, for the rates.
  private static func once(_ observer: StandingObserver, _ json: Bool, _ interrupt: Interrupt)
    -> PostgresError?
  {
    var (standing, outage) = observer.look()
    if outage == nil, !interrupt.wait(milliseconds: 1000) { (standing, outage) = observer.look() }
    print(json ? StatusReport(standing).json.compact : StatusReport(standing).text(width: nil))
    return outage
  }

  private static func again(
    _ observer: StandingObserver, _ json: Bool, _ interrupt: Interrupt, milliseconds: Int
  ) {
    let screen = WatchScreen(inPlace: !json && Terminal.standardOutput.rewritesLines)
    repeat {
      let report = StatusReport(observer.look().standing)
      if interrupt.isStopped { return }
      screen.show(
        json
          ? report.json.compact
          : report.text(width: Terminal.standardOutput.isTTY ? Terminal.standardOutput.width : nil))
    } while !interrupt.wait(milliseconds: milliseconds)
  }
}
