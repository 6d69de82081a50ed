public import ChangeLog
import Derivation
import PGOutput

/// Writes events into a buffer, one after the other. A value; whoever sends the bytes takes them from it.
public struct EventWriter: Sendable {
  let plan: EventPlan
  private let format: EventFormat
  private let framing: EventFraming
  var json = JSONWriter()
  /// What is the same in many events, as JSON.
  var texts: EventTexts

  /// A writer for the events of a plan.
  public init(_ plan: EventPlan, format: EventFormat = .cloudevents, framing: EventFraming = .lines) {
    self.plan = plan
    self.format = format
    self.framing = framing
    texts = EventTexts(plan)
  }

  /// What was written.
  public var bytes: [UInt8] { json.bytes }

  /// Forgets what was written.
  public mutating func removeAll() { json.removeAll() }

  /// Writes an event.
  public mutating func write(_ event: StateEvent) {
    let position = texts.text(of: event.position)
    if framing == .serverSent { json.between("id: \(position)\ndata: ") }
    switch format {
    case .cloudevents: writeCloudEvent(event, id: position)
    case .debezium: writeDebezium(event, id: position)
    }
    json.between(framing == .serverSent ? "\n\n" : "\n")
  }

  /// Writes what stands before everything else: to one who listens to server-sent events, where he begins, so that he
  /// comes back to the same place when the first event has not come yet.
  public mutating func writeOpening(_ position: Position) {
    guard framing == .serverSent else { return }
    json.between("retry: 1000\nid: \(position)\n\n")
  }

  /// Writes a sign of life. To one who listens to server-sent events it tells the position, too, so that what his filter
  /// leaves out need not be read again when he comes back; it is no event to him. Of lines it is an empty one.
  public mutating func writeHeartbeat(_ position: Position) {
    json.between(framing == .serverSent ? ": alive\nid: \(position)\n\n" : "\n")
  }
}

/// Parts of events that are the same in many of them, each written once.
struct EventTexts: Sendable {
  let types: [StateEvent.Kind: String]
  let keyNames: [String]
  let columnNames: [String]
  private var end: LSN = .invalid
  private var endText = ""
  private var commit: LSN = .invalid
  private var commitText = ""
  private var time: Timestamp?
  private var timeText = ""

  init(_ plan: EventPlan) {
    types = Dictionary(uniqueKeysWithValues: StateEvent.Kind.allCases.map { ($0, plan.type($0)) })
    keyNames = plan.derive.key.map(\.name)
    columnNames = plan.columns.map(\.name)
  }

  mutating func text(of position: Position) -> String {
    if position.endLSN != end || endText.isEmpty {
      end = position.endLSN
      endText = "\(end)"
    }
    return position.ordinal == Position.whole ? endText : endText + "." + String(position.ordinal)
  }

  mutating func text(ofCommit lsn: LSN) -> String {
    if lsn != commit || commitText.isEmpty { (commit, commitText) = (lsn, "\(lsn)") }
    return commitText
  }

  mutating func text(of moment: Timestamp) -> String {
    if moment != time { (time, timeText) = (moment, "\(moment)") }
    return timeText
  }
}
