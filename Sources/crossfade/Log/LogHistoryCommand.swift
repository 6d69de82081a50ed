import ArgumentParser
import ChangeLog
import Derivation
import Operations
import PGOutput

/// `crossfade log history`: the life of one ledger transaction.
struct LogHistoryCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "history",
    abstract: "Prints what happened to one row of the slot's table, state by state.",
    discussion: """
      A change that leaves the status as it was is left out, unless --all is given. Exit code 0; 1: the log knows \
      nothing of that key.
      """)

  @OptionGroup var slot: SlotFile

  @Option(
    name: .customLong("key"),
    help: ArgumentHelp(
      "The row's key, as PostgreSQL prints it; of a key of several columns, once for each, in their order.",
      valueName: "value"))
  var keys: [String]

  @OptionGroup var archive: RestoreOptions
  @Flag(help: "Print every change of the row.") var all = false
  @Flag(help: "Print one JSON object.") var json = false

  func run() async throws {
    try await atTheEdge {
      let definition = try slot.load()
      let columns = definition.derive.key
      guard keys.count == columns.count else {
        throw ValidationError(
          "The key is (\(columns.map(\.name).joined(separator: ", "))): give --key \(columns.count) times.")
      }
      let history = KeyHistory(derive: definition.derive, key: keys)
      let source = try archive.reading(definition.log.source())
      var steps: [KeyHistory.Step] = []
      do {
        for try await change in source.changes(tables: [history.table], keys: history.rows, follow: false) {
          if let step = try history.step(change) { steps.append(step) }
        }
      } catch let error as ChangeLogError {
        throw Failure(error)
      }
      let shown = all ? steps : Self.states(steps)
      print(json ? Self.json(history, shown).compact : Self.text(history, shown))
      if steps.isEmpty { throw ExitCode.differences }
    }
  }

  /// The steps without those that leave the status as it was.
  static func states(_ steps: [KeyHistory.Step]) -> [KeyHistory.Step] {
    var status: KeyHistory.Status?
    return steps.filter { step in
      defer { if step.status != .unchanged { status = step.status } }
      return step.event != .updated || (step.status != .unchanged && step.status != status)
    }
  }

  private static func text(_ history: KeyHistory, _ steps: [KeyHistory.Step]) -> String {
    guard !steps.isEmpty else {
      return "the log holds no change of \(history.table) with the key \(history.key.joined(separator: ", "))"
    }
    var table = Table([
      .text("position"), .text("committed"), .number("xid"), .text("change"), .text("status"), .text("state"),
    ])
    for step in steps {
      table.append([
        "\(step.position)", step.commitTime?.description ?? "-", step.xid?.description ?? "-",
        step.event.name,
        step.status.text, step.code ?? "-",
      ])
    }
    return table.rendered()
  }

  private static func json(_ history: KeyHistory, _ steps: [KeyHistory.Step]) -> JSONValue {
    [
      "table": .string(history.table), "key": .array(history.key.map { .string($0) }),
      "history": .array(
        steps.map { step in
          [
            "position": .string("\(step.position)"),
            "commit_time": step.commitTime.map { .string("\($0)") } ?? .null,
            "xid": step.xid.map { .integer(Int64($0.rawValue)) } ?? .null,
            "change": .string(step.event.name), "status": step.status.json,
            "state": step.code.map { .string($0) } ?? .null,
          ]
        }),
    ]
  }
}

extension KeyHistory.Status {
  fileprivate var text: String {
    switch self {
    case .none: "-"
    case .unchanged: "unchanged"
    case .null: "NULL"
    case .text(let text): ChangeText.quoted(text)
    case .bytes(let bytes): "\(bytes.count) bytes"
    }
  }

  fileprivate var json: JSONValue {
    switch self {
    case .none, .null: .null
    case .unchanged: ["unchanged": true]
    case .text(let text): .string(text)
    case .bytes(let bytes): ["bytes": .array(bytes.map { .integer(Int64($0)) })]
    }
  }
}
