import ArgumentParser
import Derivation
import Glibc
import Migration
import Operations
import Postgres

/// `crossfade plan`: every step of a migration, before any of them is done.
struct PlanCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "plan",
    abstract:
      "Shows every step of the migration: SQL, locks, limits, cost, way back, hazards. Changes nothing.",
    discussion: """
      Looks at definition and server as `check` does, and at what depends on the old column, in a session that cannot \
      write; a role that may only read will do. The plan's hash names what was reviewed: `expand --plan HASH` refuses to \
      do anything else.

      Exit code 0: nothing failed and every hazard is accepted; 1: something failed, or a hazard is not accepted; \
      66 or 78: the definition cannot be read, or is wrong; 69: the server cannot be reached; 73: a file to be emitted \
      exists already.
      """)

  @OptionGroup var slot: SlotFile
  @Option(
    name: .customLong("accept"), parsing: .singleValue,
    help: ArgumentHelp(
      "Accept a hazard, beside those in migrate.accept. May be given several times.", valueName: "hazard"),
    transform: { try word($0, of: Hazard.self) })
  var accepted: [Hazard] = []
  @Option(
    help: ArgumentHelp(
      "Write files for flyway, liquibase, dbmate, alembic or sql (psql) to the directory in --to.",
      valueName: "tool"), transform: { try word($0, of: EmitTool.self) })
  var emit: EmitTool?
  @Option(
    name: .customLong("to"),
    help: ArgumentHelp(
      "Where the emitted files go; made if missing, and no file is overwritten.", valueName: "directory"))
  var directory: String?
  @Option(help: ArgumentHelp("The number of the first emitted file (flyway, dbmate).", valueName: "number"))
  var first = 1
  @Option(
    name: .customLong("after"),
    help: ArgumentHelp("The revision that the first emitted one follows (alembic).", valueName: "revision"))
  var follows: String?
  @Option(
    help: ArgumentHelp("How long the look at all statuses of the table may take.", valueName: "seconds"))
  var scan = 5
  @Flag(help: "Show what passed and every statement whole.") var full = false
  @Flag(help: "Print one JSON object.") var json = false

  func validate() throws {
    guard (1...86_400).contains(scan) else { throw ValidationError("--scan takes 1 to 86400 seconds") }
    guard (emit == nil) == (directory == nil) else {
      throw ValidationError("--emit TOOL and --to DIRECTORY go together")
    }
    guard first >= 0 else { throw ValidationError("--first takes a number from 0") }
    guard first == 1 || emit == .flyway || emit == .dbmate else {
      throw ValidationError("--first is for --emit flyway and --emit dbmate")
    }
    guard follows == nil || emit == .alembic else { throw ValidationError("--after is for --emit alembic") }
  }

  func run() async throws {
    try await atTheEdge {
      let definition = try slot.load()
      let survey = PlanSurvey(definition: definition, scanMilliseconds: scan * 1_000)
      let accepted = Set(accepted)
      let plan = try await MigrationSession.run { (interrupt) throws(MigrationError) -> Plan in
        do throws(PostgresError) {
          return try survey.take(accepted: accepted, on: try survey.connect(interrupt))
        } catch {
          throw .postgres(error)
        }
      }
      let written = try write(plan)
      let report = PlanReport(plan: plan, slotPath: slot.path, written: written)
      if json {
        print(report.json.compact)
      } else {
        print(PlanText(report, terminal: .standardOutput, isFull: full).text)
      }
      if !plan.isReady { throw ExitCode.differences }
    }
  }

  /// Writes the emitted files; gives their paths.
  private func write(_ plan: Plan) throws(Failure) -> [String] {
    guard let emit, let directory else { return [] }
    let files = Emission(plan, first: first, follows: follows).files(for: emit)
    do {
      try EmissionWriter(directory: directory).write(files)
    } catch {
      throw Failure(error)
    }
    return files.map { "\(directory)/\($0.path)" }
  }
}

/// One of a fixed set of words on the command line.
func word<Word>(_ text: String, of type: Word.Type) throws -> Word
where Word: CaseIterable & RawRepresentable<String> {
  guard let word = Word(rawValue: text) else {
    throw ValidationError("it is one of \(type.allCases.map(\.rawValue).joined(separator: ", "))")
  }
  return word
}

extension Failure {
  /// A failure to write the emitted files.
  init(_ error: EmissionWriter.Failure) {
    switch error {
    case .exists(let path):
      self.init(
        summary: "\(path) exists; nothing was written",
        hint: "name another directory in --to, or move the files away",
        exitCode: ExitCode.cannotCreateOutput.rawValue)
    case .system(let path, let code):
      self.init(
        summary: "\(path) cannot be written: \(String(cString: strerror(code)))",
        hint: "name a directory in --to that this user may write to, on a disk with room",
        exitCode: ExitCode.cannotCreateOutput.rawValue)
    }
  }
}
