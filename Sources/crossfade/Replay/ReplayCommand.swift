import ArgumentParser
import ChangeLog
import Derivation
import Operations
import PGOutput
import Replay

/// `crossfade replay`: a range of the log, derived again.
struct ReplayCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "replay",
    abstract:
      "Derives a range of the log again: prints it, compares it with the target, or repairs the target.",
    discussion: """
      Prints the derived changes as NDJSON, from the log alone. --diff compares them with what the target holds now; \
      --apply writes the new column where it differs, after it has counted and asked. The slot is never asked. Exit \
      code 0: done, no difference; 1: differences, or a gap was crossed; anything else: an error.
      """)

  @OptionGroup var slot: SlotFile

  @Option(
    help: ArgumentHelp(
      "Begin after this position: a transaction's end, 0/1A2B3C4D, or a change in it, 0/1A2B3C4D.5; or `earliest`.",
      valueName: "position"))
  var from: ReplayStart

  @Option(
    help: ArgumentHelp(
      "End with the last transaction that ends here or before; or, given a time such as 2026-11-21T10:00:00Z, before the first "
        + "that committed later. Without it, at the log's end.", valueName: "lsn|time"))
  var to: ReplayEnd?

  @Option(
    name: .customLong("key"),
    help: ArgumentHelp(
      "Only the row with this key; may be given again. Of several columns, a JSON array of their texts.",
      valueName: "key"))
  var keys: [String] = []

  @Option(help: ArgumentHelp("Derive by the `states:` of this file.", valueName: "file"))
  var map: String?

  @Flag(help: "Compare with what the target holds.") var diff = false
  @Flag(help: "Repair the target.") var apply = false
  @Flag(help: "Cross damage in the log, and mark the gap.") var skipDamage = false

  @Option(
    help: ArgumentHelp("With --diff: how long the log is waited for; 10 without it.", valueName: "seconds"))
  var wait: Int?

  @Option(help: ArgumentHelp("With --apply: most rows a second.", valueName: "rows"))
  var rate: Int?

  @Option(help: ArgumentHelp("With --apply: most rows a commit; write.batch without it.", valueName: "rows"))
  var batch: Int?

  @Flag(help: "With --apply: write without asking.") var yes = false
  @Flag(help: "With --apply: forget an unfinished one and begin anew.") var restart = false
  @Flag(help: "Print differences and outcome as JSON.") var json = false
  @OptionGroup var archive: RestoreOptions
  @OptionGroup var logging: LoggingOptions

  func validate() throws {
    if diff && apply { throw ValidationError("Give --diff or --apply, not both.") }
    if !apply, rate != nil || batch != nil || yes || restart {
      throw ValidationError("--rate, --batch, --yes and --restart belong to --apply.")
    }
    if case .position(let end)? = to?.end, let start = from.after?.endLSN, end < start {
      throw ValidationError("--to \(end) lies before --from \(start).")
    }
    if !diff, wait != nil { throw ValidationError("--wait belongs to --diff.") }
    guard wait.map({ (0...86_400).contains($0) }) ?? true else {
      throw ValidationError("--wait takes 0 to 86400 seconds.")
    }
    guard rate.map({ $0 > 0 }) ?? true, batch.map({ (1...100_000).contains($0) }) ?? true else {
      throw ValidationError("--rate takes 1 or more, --batch 1 to 100000.")
    }
  }

  func run() async throws {
    try await atTheEdge {
      let definition = try slot.load()
      let task = ReplayTask(
        definition: definition, log: try archive.applied(to: definition.log.source()), start: from, end: to,
        keys: try ReplayKeys.parse(keys, of: definition.derive.key),
        states: try map.map { path throws(Failure) in try ReplayMapFile.load(path) },
        crossesDamage: skipDamage, json: json)
      if diff {
        try await ReplayDiff(task: task, waitSeconds: wait ?? 10).run()
      } else if apply {
        try await ReplayRepair(
          task: task, batch: batch, rate: rate, yes: yes, restart: restart, logger: logging.logger("replay")
        ).run()
      } else {
        try await ReplayPrint(task: task).run()
      }
    }
  }
}
