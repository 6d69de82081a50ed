import ArgumentParser
import Derivation
import Foundation
import Logging
import Migration
import Operations
import Postgres

/// `crossfade verify`: completeness, correctness, integrity.
struct VerifyCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify",
    abstract:
      "Compares the new column with what the map makes of the old one: every row, recent ones, or a sample.",
    discussion: """
      A row counts as wrong only if it is still wrong, and unchanged, when the stream has passed the position at which \
      it was seen. No row is locked, and no snapshot is held. Stopped or killed, a look at the whole table goes on where \
      it was.

      Exit code 0: no difference; 1: differences, or rows that could not be judged; anything else: it could not be done.
      """)

  @OptionGroup var slot: SlotFile
  @OptionGroup var logging: LoggingOptions
  @Option(
    help: ArgumentHelp(
      "Only rows that transactions of this time touched, by the change log: 15m, 2h.", valueName: "time"),
    transform: duration)
  var recent: Milliseconds?
  @Option(help: ArgumentHelp("Only so many rows, drawn at random.", valueName: "rows"))
  var sample: Int?
  @Option(help: ArgumentHelp("What the draws begin from, to repeat a sample.", valueName: "number"))
  var seed: UInt64?
  @Option(
    name: .long, defaultAsFlag: 5, parsing: .next,
    help: ArgumentHelp(
      "After the whole table, look again at what the stream touches, every so many seconds, until Ctrl-C. Put it after the definition.",
      valueName: "seconds"))
  var watch: Double?
  @Flag(help: "Forget what is verified and begin anew.") var restart = false
  @Option(
    help: ArgumentHelp(
      "Look at the rows on this server, such as a standby, and not at the definition's.",
      valueName: "conninfo"))
  var on: String?
  @Option(
    help: ArgumentHelp(
      "How long the stream may stand still before what waits for it is left undecided (default: 2m).",
      valueName: "time"),
    transform: duration)
  var wait = Milliseconds.seconds(120)
  @Option(help: ArgumentHelp("The most rows of one look.", valueName: "rows")) var page = 50_000
  @Option(
    help: ArgumentHelp(
      "Of the whole table: the share of the time that it reads, 0.01 to 1; between two looks it rests.",
      valueName: "share"))
  var pace = 1.0
  @Flag(help: "Print one JSON object; with --watch one a line.") var json = false

  func validate() throws {
    let chosen = [recent != nil, sample != nil, watch != nil].count { $0 }
    guard chosen <= 1 else {
      throw ValidationError("--recent, --sample and --watch are three things: take one")
    }
    if let recent, recent < .seconds(1) { throw ValidationError("--recent takes a second or more: 15m") }
    if let sample, !(1...10_000_000).contains(sample) {
      throw ValidationError("--sample takes 1 to 10000000 rows")
    }
    if seed != nil, sample == nil { throw ValidationError("--seed is for --sample") }
    if restart, recent != nil || sample != nil {
      throw ValidationError("--restart is for the whole table: --recent and --sample keep nothing")
    }
    if let watch, !(0.1...86_400).contains(watch) {
      throw ValidationError("--watch takes 0.1 to 86400 seconds")
    }
    guard (0.01...1).contains(pace) else {
      throw ValidationError("--pace takes the share of the time to read, 0.01 to 1")
    }
    if pace < 1, recent != nil || sample != nil {
      throw ValidationError("--pace is for the whole table: --recent and --sample read little")
    }
    guard (10...1_000_000).contains(page) else { throw ValidationError("--page takes 10 to 1000000 rows") }
  }

  private static func duration(_ text: String) throws -> Milliseconds {
    guard let duration = Milliseconds(text) else {
      throw ValidationError("'\(text)' is not a time such as 30s, 15m or 2h")
    }
    return duration
  }

  private var options: VerifyOptions {
    var options = VerifyOptions()
    options.scope = .whole(restart: restart)
    if let recent { options.scope = .recent(seconds: recent.count / 1000) }
    if let sample {
      options.scope = .sample(rows: sample, seed: seed ?? UInt64.random(in: 0...0xFFFF_FFFF))
    }
    options.on = on
    options.wait = wait.duration
    options.pageRows = page
    options.pace = pace
    return options
  }

  func run() async throws {
    try await atTheEdge {
      let definition = try slot.load()
      let logger = logging.logger("verify")
      let (options, watch, json) = (options, watch, json)
      let display = TableVerifyDisplay()
      let isClean = try await MigrationSession.run { (interrupt) throws(MigrationError) -> Bool in
        let verify = Verify(definition: definition, options: options, interrupt: interrupt, logger: logger)
        if let watch {
          let lines = VerifyRoundLines(definition.derive, json: json)
          let standing = try verify.watch(
            everyMilliseconds: Int(watch * 1000), report: { display.show($0) },
            round: {
              display.clear(); lines.show($0)
            })
          return standing.mismatches == 0 && standing.undecided == 0
        }
        let result = try verify.run { display.show($0) }
        display.clear()
        let report = VerificationReport(result, derive: definition.derive, scope: options.scope)
        print(json ? report.json.compact : report.text)
        return result.isClean
      }
      if !isClean { throw ExitCode.differences }
    }
  }
}
