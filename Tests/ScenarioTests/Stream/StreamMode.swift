import PGOutput
import Postgres

/// What is negotiated: it may change how a transaction is sent, never what the log holds of it.
enum StreamMode: String, CaseIterable, Sendable {
  /// Protocol 1: whole transactions, when they have committed.
  case whole
  /// Protocol 2: large transactions while they are in progress.
  case streamed
  /// Protocol 3: prepared transactions when they are prepared; large ones while in progress.
  case prepared
  /// Protocol 4: as `prepared`; stream aborts carry position and time.
  case parallel

  /// The first major that has it.
  var since: Int {
    switch self {
    case .whole: 13
    case .streamed: 14
    case .prepared: 15
    case .parallel: 16
    }
  }

  /// Whether its slot has to be made for two-phase commit.
  var isTwoPhase: Bool { self == .prepared || self == .parallel }

  /// Whether large transactions come while they are in progress.
  var streaming: PgoutputOptions.Streaming {
    switch self {
    case .whole: .off
    case .streamed, .prepared: .on
    case .parallel: .parallel
    }
  }

  static func all(on major: Int) -> [StreamMode] { allCases.filter { $0.since <= major } }

  /// What pgoutput is asked for.
  func options(for scenario: Scenario, publications: [String], major: Int) -> [StreamOption] {
    let names = publications.map(SQLText.identifier).joined(separator: ",")
    var options = [StreamOption(name: "publication_names", value: names)]
    options.append(StreamOption(name: "proto_version", value: "\(format.protocolVersion.rawValue)"))
    if streaming != .off { options.append(StreamOption(name: "streaming", value: streaming.rawValue)) }
    if isTwoPhase { options.append(StreamOption(name: "two_phase", value: "true")) }
    if major >= 14 { options.append(StreamOption(name: "messages", value: "true")) }
    return options + scenario.options
  }

  /// How its messages are laid out.
  var format: StreamFormat {
    switch self {
    case .whole: StreamFormat(protocolVersion: .v1)
    case .streamed: StreamFormat(protocolVersion: .v2, abortLayout: .short)
    case .prepared: StreamFormat(protocolVersion: .v3, abortLayout: .short)
    case .parallel: StreamFormat(protocolVersion: .v4, abortLayout: .long)
    }
  }
}
