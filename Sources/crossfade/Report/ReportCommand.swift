import ArgumentParser
import Derivation
import Migration
import Operations
import Postgres

/// `crossfade report`: the evidence, for whoever must show afterwards what happened.
struct ReportCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "report",
    abstract:
      "Writes the evidence of a migration: who did what and when, SQL, lock waits, counts, verifications.",
    discussion: """
      From what is on record in schema crossfade, as Markdown or as one HTML file that fetches nothing. Two reports of the \
      same account differ in one line, the date. Reads only: a role that may do no more will do, and so will a standby.

      Exit code 0: the report was made; 1: it was made, and the chain of hashes does not hold; 66: nothing is on record; \
      73 or 74: the file cannot be written.
      """)

  /// How it is written.
  enum Format: String, CaseIterable {
    case markdown
    case html
  }

  @OptionGroup var slot: SlotFile
  @Option(
    help: ArgumentHelp("markdown or html; by the ending of --to, else markdown.", valueName: "format"),
    transform: { try word($0, of: Format.self) })
  var format: Format?
  @Option(
    name: .customLong("to"),
    help: ArgumentHelp(
      "The file to write, whole or not at all; standard output unless given.", valueName: "file"))
  var file: String?
  @Option(
    help: ArgumentHelp("Read the account on this server, such as a standby.", valueName: "conninfo"))
  var on: String?
  @Flag(help: "Print one JSON object.") var json = false

  func validate() throws {
    guard !json || format == nil else {
      throw ValidationError("--json and --format are two things: take one")
    }
    if let file, file.isEmpty { throw ValidationError("--to takes the name of a file") }
  }

  func run() async throws {
    try await atTheEdge {
      let definition = try slot.load()
      let on = on
      let outcome = try await MigrationSession.run {
        (interrupt) throws(MigrationError) -> EvidenceReader.Outcome in
        do throws(PostgresError) {
          let connection = try Connection(
            on ?? definition.source.revealed,
            options: .init(
              applicationName: "crossfade report \(definition.slot)",
              settings: [("search_path", "pg_catalog"), ("default_transaction_read_only", "on")]),
            interrupt: interrupt)
          return try EvidenceReader(definition, connection: connection).read()
        } catch {
          throw .postgres(error)
        }
      }
      guard case .evidence(let evidence) = outcome else {
        throw Failure(
          summary: "nothing is on record of slot \(definition.slot)",
          hint: "`crossfade expand SLOT` begins the account; is this the right database?",
          exitCode: ExitCode.cannotOpenInput.rawValue)
      }
      try put(evidence)
      if !evidence.faults.isEmpty { throw ExitCode.differences }
    }
  }

  private func put(_ evidence: Evidence) throws(Failure) {
    let text = rendered(evidence)
    guard let file else { return print(text, terminator: text.hasSuffix("\n") ? "" : "\n") }
    try WholeFile.write(text.hasSuffix("\n") ? text : text + "\n", to: file)
    let chain =
      evidence.end.map {
        "\(HumanFormat.count($0.rows)) rows, ending with \($0.hash)"
          + (evidence.faults.isEmpty ? "" : "; THE CHAIN DOES NOT HOLD")
      } ?? "the audit trail could not be read"
    print("\(file): \(chain)")
  }

  private func rendered(_ evidence: Evidence) -> String {
    if json { return EvidenceJSON(evidence: evidence).json.compact }
    let date = "Made \(UTCInstant.now()) by crossfade \(ToolVersion.current)"
    switch format ?? (file?.lowercased().hasSuffix(".html") == true ? .html : .markdown) {
    case .markdown: return EvidenceMarkdown(evidence: evidence, dateLine: date).text
    case .html: return EvidenceHTML(evidence: evidence, dateLine: date).text
    }
  }
}
