import ArgumentParser
import ChangeLog
import Derivation
import Events
import Operations

/// `crossfade events`: the log's changes as events, without a server.
struct EventsCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "events",
    abstract:
      "Prints the slot's changes as events (CloudEvents 1.0), a JSON document a line, straight from the log.",
    discussion: """
      An event's id is its position: --after with the last one seen gives exactly the rest. With --follow it waits for \
      more. A part of the log that cannot be read gives an event of type crossfade.gap, and status 1 at the end.
      """)

  @OptionGroup var slot: SlotFile
  @Option(
    help: ArgumentHelp(
      "Begin after this: a position, earliest, latest, or a time. (default: earliest)", valueName: "start"),
    transform: { text in
      guard let start = EventStart(text) else {
        throw ValidationError(
          "'\(text)' is none of: a position, earliest, latest, a time such as 2026-11-21T10:00:00Z.")
      }
      return start
    })
  var after = EventStart.earliest
  @Option(help: ArgumentHelp("Print at most so many.", valueName: "count"))
  var limit: Int?
  @Flag(help: "Wait for more at the log's end.") var follow = false
  @Option(help: "Only events of this type; may be given again.") var type: [String] = []
  @Option(help: "Only events that leave their row in this state, by code or id; may be given again.")
  var state: [String] = []
  @Option(help: "Only events of the row with this key; may be given again.") var key: [String] = []
  @Option(
    help: "cloudevents, or debezium for its envelope. (default: cloudevents)",
    transform: { text in
      guard let format = EventFormat(rawValue: text) else {
        throw ValidationError("'\(text)' is neither cloudevents nor debezium.")
      }
      return format
    })
  var format = EventFormat.cloudevents
  @OptionGroup var archive: RestoreOptions

  func validate() throws {
    if let limit, limit < 1 { throw ValidationError("--limit must be 1 or more.") }
  }

  func run() async throws {
    try await atTheEdge {
      let definition = try slot.load()
      let source = try archive.reading(definition.log.source())
      guard let bounds = try reading({ () throws(ChangeLogError) in try source.bounds() }) else {
        throw Failure(ChangeLogError.noLog(directory: source.directory))
      }
      guard bounds.origin.slot == definition.slot else {
        throw Failure(
          summary: "the log in \(source.directory) is slot \(bounds.origin.slot)'s, not \(definition.slot)'s",
          hint: "name the definition that belongs to the log", exitCode: ExitCode.refused.rawValue)
      }
      let map = try await StateMap.known(
        to: definition,
        hint: "the target is asked only because the definition lists no derive.map.states: list them there")
      let start = try reading { () throws(ChangeLogError) in try after.position(in: source) }
      let plan = EventPlan(definition, origin: bounds.origin)
      let cursor = EventCursor(
        source, plan: plan, map: map, after: start,
        filter: EventFilter(
          types: Set(type), states: Set(state.map { ExactText($0) }), keys: Set(key.map { ExactText($0) })),
        follows: follow)
      try print(cursor, plan)
    }
  }

  private func print(_ cursor: EventCursor, _ plan: EventPlan) throws {
    var output = LineOutput()
    var writer = EventWriter(plan, format: format)
    var left = limit ?? .max
    var gaps = 0
    do {
      while left > 0 {
        if let event = try cursor.next() {
          writer.write(event)
          left -= 1
          if event.kind == .gap { gaps += 1 }
          if writer.bytes.count >= 1 << 16 { try output.send(&writer) }
        } else {
          try output.send(&writer)
          guard follow, !cursor.isOver else { break }
          try cursor.wait(.milliseconds(500))
        }
      }
    } catch let error as ChangeLogError {
      // What is whole before it is printed.
      try output.send(&writer)
      throw Failure(error)
    }
    try output.send(&writer)
    if gaps > 0 { throw ExitCode.differences }
  }
}

extension LineOutput {
  /// Prints what was written, at once.
  fileprivate mutating func send(_ writer: inout EventWriter) throws {
    defer { writer.removeAll() }
    try write(lines: writer.bytes)
    try flush()
  }
}
