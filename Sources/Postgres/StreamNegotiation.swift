/// One option of a stream: what it came to, and why.
public struct NegotiatedOption: Sendable, Hashable {
  /// The option's name in `START_REPLICATION`.
  public var option: String
  /// What is asked of the server.
  public var value: String
  /// Why, in a clause.
  public var reason: String
  /// Whether it was asked for by name and the server cannot.
  public var isDenied: Bool
}

/// What a stream's options come to: the highest protocol the server speaks, as PostgreSQL's own worker asks for it
/// (`worker.c set_stream_options`), and each option where it is wished for and the server has it.
public struct StreamNegotiation: Sendable, Hashable {
  /// The server's version.
  public var server: ServerVersion
  /// What was asked for.
  public var wishes: StreamWishes
  /// Whether the slot decodes prepared transactions already.
  public var slotIsTwoPhase: Bool

  /// A negotiation with a server about a slot.
  public init(server: ServerVersion, wishes: StreamWishes, slotIsTwoPhase: Bool) {
    self.server = server
    self.wishes = wishes
    self.slotIsTwoPhase = slotIsTwoPhase
  }

  /// The options to start a stream with.
  public func options(publications: [String]) -> PgoutputOptions {
    PgoutputOptions(
      protocolVersion: protocolVersion, publications: publications, streaming: streaming.value,
      twoPhase: twoPhase.value, binary: binary.value, messages: messages.value,
      withoutOrigins: withoutOrigins.value)
  }

  /// Every option, with the reason for its value.
  public var explanations: [NegotiatedOption] {
    let spoken = protocolVersion == 1 ? "1 only" : "1 to \(protocolVersion)"
    return [
      NegotiatedOption(
        option: "proto_version", value: "\(protocolVersion)",
        reason: "the server is \(server) and speaks \(spoken)", isDenied: false),
      explain("streaming", streaming) { $0.rawValue },
      explain("two_phase", twoPhase) { $0 ? "on" : "off" },
      explain("binary", binary) { $0 ? "on" : "off" },
      explain("messages", messages) { $0 ? "on" : "off" },
      explain("origin", withoutOrigins) { $0 ? "none" : "any" },
    ]
  }

  /// Whether a new slot is made to be synchronized to standbys: where the server can (17), unless `wished` says no.
  public static func makesFailoverSlot(server: ServerVersion, wished: Bool?) -> Bool {
    server.major >= 17 && wished ?? true
  }

  private func explain<Value>(
    _ name: String, _ choice: Choice<Value>, _ text: (Value) -> String
  ) -> NegotiatedOption {
    NegotiatedOption(
      option: name, value: text(choice.value), reason: choice.reason, isDenied: choice.isDenied)
  }
}

extension StreamNegotiation {
  /// A value, and why it is that.
  private struct Choice<Value> {
    var value: Value
    var reason: String
    var isDenied = false
  }

  private var protocolVersion: Int {
    switch server.major {
    case 16...: 4
    case 15: 3
    case 14: 2
    default: 1
    }
  }

  private var streaming: Choice<PgoutputOptions.Streaming> {
    guard server.major >= 14 else {
      return Choice(
        value: .off, reason: "the server is \(server); streamed transactions came with 14",
        isDenied: wishes.streaming)
    }
    guard wishes.streaming else {
      return Choice(
        value: .off, reason: "not asked for in stream.streaming: transactions are sent when they commit")
    }
    guard server.major >= 16 else {
      return Choice(value: .on, reason: "large transactions are sent while they run")
    }
    return Choice(
      value: .parallel,
      reason: "large transactions are sent while they run, and an abort says where and when")
  }

  private var twoPhase: Choice<Bool> {
    guard server.major >= 15 else {
      return Choice(
        value: false, reason: "the server is \(server); pgoutput sends prepared transactions from 15 on",
        isDenied: wishes.twoPhase)
    }
    if wishes.twoPhase { return Choice(value: true, reason: "stream.two_phase is true") }
    if slotIsTwoPhase { return Choice(value: true, reason: "the slot is two-phase, and stays so") }
    return Choice(value: false, reason: "not asked for in stream.two_phase")
  }

  private var binary: Choice<Bool> {
    guard wishes.binary else { return Choice(value: false, reason: "not asked for in stream.binary") }
    guard server.major >= 14 else {
      return Choice(
        value: false, reason: "the server is \(server); binary values came with 14", isDenied: true)
    }
    return Choice(value: true, reason: "stream.binary is true")
  }

  private var messages: Choice<Bool> {
    guard server.major >= 14 else {
      return Choice(value: false, reason: "the server is \(server); logical messages came with 14")
    }
    return Choice(value: true, reason: "where no origin is granted, a message marks our own transactions")
  }

  private var withoutOrigins: Choice<Bool> {
    guard wishes.withoutOrigins else {
      return Choice(value: false, reason: "our own transactions are dropped here, by name")
    }
    guard server.major >= 16 else {
      return Choice(
        value: false, reason: "the server is \(server); the option came with 16", isDenied: true)
    }
    return Choice(value: true, reason: "stream.origin is none: no change that carries an origin is sent")
  }
}
