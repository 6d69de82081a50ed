public import ArgumentParser
import ChangeLog
public import Derivation
import Glibc
import Migration
import Operations
import PGOutput

/// `crossfade log prune`: what retention would drop, and whom it would hurt.
struct LogPruneCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "prune",
    abstract: "Shows what retention would drop from the log, and whom it would hurt; drops it with --yes.",
    discussion: """
      What may go is said by --age, --size and --before, or by log.retain of a slot definition. What a named reader has \
      not read stays, unless --past-readers is given; what the dual-write has not applied, and what is to be archived \
      and is not, stays in any case. May run beside `crossfade run`, which does the same by itself where log.retain is \
      given.

      Exit code 0: it was told, or done; 3: it is not known how far the dual-write is.
      """)

  @OptionGroup var log: LogPlace
  @Option(help: ArgumentHelp("What was sealed so long ago: 30d, 12h.", valueName: "age")) var age: Age?
  @Option(help: ArgumentHelp("The oldest, while the log is larger: 100GiB.", valueName: "size"))
  var size: ByteCount?
  @Option(help: ArgumentHelp("What ends at this position or before.", valueName: "lsn")) var before: LSN?
  @Flag(help: "Drop also what a named reader has not read; never what the dual-write has not.")
  var pastReaders = false
  @Flag(help: "Drop it.") var yes = false
  @Flag(help: "Print one JSON object.") var json = false

  func run() async throws {
    try await atTheEdge {
      let source = try log.load()
      let rules = try rules(source.directory)
      let pruner = LogPruner(directory: source.directory)
      let (plan, readers) = try reading { () throws(ChangeLogError) in
        let readers = try LogReaders(directory: source.directory).list()
        try Self.requireDualWrite(readers, source.directory)
        return (try yes ? pruner.prune(rules) : pruner.plan(rules), readers)
      }
      let report = PruneReport(plan: plan, readers: readers, isDone: yes)
      print(json ? report.json.compact : report.text)
    }
  }

  private func rules(_ directory: String) throws -> RetentionRules {
    var rules = RetentionRules()
    if let definition = try log.definition() {
      rules = definition.log.rules
    } else if access("\(directory)/archived", F_OK) == 0 {
      // A log that was archived once is not to be dropped unarchived.
      rules.archive = .trusted
    }
    if age != nil || size != nil || before != nil {
      rules.age = age.map { Int64($0.seconds) }
      rules.bytes = size.map { UInt64($0.bytes) }
      rules.before = before
    }
    rules.isPastReaders = pastReaders
    guard !rules.isEmpty else {
      throw ValidationError(
        "Say what may go: --age, --size or --before, or log.retain in the slot definition.")
    }
    rules.confirmed = RecordedStatus.read(directory: directory)?.confirmed.flatMap { $0.isValid ? $0 : nil }
    return rules
  }

  /// A `run` has been here, but none that kept the dual-write's position.
  private static func requireDualWrite(_ readers: [LogReaders.Entry], _ directory: String)
    throws(ChangeLogError)
  {
    guard access("\(directory)/\(LiveStatus.fileName)", F_OK) == 0,
      !readers.contains(where: { $0.name == NamedReader.dualWrite })
    else { return }
    throw .reader(
      name: NamedReader.dualWrite,
      reason: "how far it is stands nowhere; `crossfade run` notes it as soon as it runs")
  }
}

extension Age: ExpressibleByArgument {
  /// Reads `30d`.
  public init?(argument: String) { self.init(argument) }
}

extension ByteCount: ExpressibleByArgument {
  /// Reads `100GiB`.
  public init?(argument: String) { self.init(argument) }
}
