public import Derivation
public import Postgres

/// Whether the stream will be what `stream:` asks for.
struct StreamJudge {
  let wishes: SlotDefinition.Stream
  let server: ServerVersion
  let slot: ReplicationSlot?

  init(_ wishes: SlotDefinition.Stream, server: ServerVersion, slot: ReplicationSlot?) {
    self.wishes = wishes
    self.server = server
    self.slot = slot
  }

  var findings: [Finding] { denied + [streaming, twoPhase, origin, failover].compactMap { $0 } }

  /// What was asked for by name and the server cannot: it works without, so nothing fails.
  private var denied: [Finding] {
    StreamNegotiation(
      server: server, wishes: StreamWishes(wishes), slotIsTwoPhase: slot?.twoPhase ?? false
    ).explanations.filter(\.isDenied).map { option in
      .warn(
        "stream", "\(option.option) stays \(option.value): \(option.reason)",
        fix: "remove stream.\(option.option) from the slot definition, or upgrade the server")
    }
  }

  private var streaming: Finding? {
    guard wishes.streaming, server.major >= 14 else { return nil }
    return .warn(
      "stream",
      "a server that streams does not tell that a savepoint's logical messages were rolled back with it: they stay",
      fix: "remove stream.streaming from the slot definition, unless nobody sends messages in savepoints")
  }

  private var twoPhase: Finding? {
    guard !wishes.twoPhase, let slot, slot.twoPhase, server.major >= 15 else { return nil }
    return .warn(
      "stream", "\(slot.name) is two-phase, though stream.two_phase is false: a slot stays so once it is",
      fix: "write `two_phase: true` under `stream:`, so that the definition says what happens")
  }

  private var origin: Finding? {
    guard wishes.origin == .none, wishes.twoPhase || slot?.twoPhase == true, server.major >= 16 else {
      return nil
    }
    return .fail(
      "stream",
      "with origin none the server leaves out the prepare or the commit of a prepared transaction, and sends the other",
      fix: "choose one of stream.two_phase and stream.origin: none")
  }

  private var failover: Finding? {
    guard wishes.failover == true, server.major < 17 else { return nil }
    return .warn(
      "stream", "failover stays off: the server is \(server); synchronized slots came with 17",
      fix: "remove stream.failover from the slot definition, or upgrade the server")
  }
}

extension StreamWishes {
  /// What a slot definition asks of the stream.
  public init(_ stream: SlotDefinition.Stream) {
    self.init(
      streaming: stream.streaming, twoPhase: stream.twoPhase, binary: stream.binary,
      withoutOrigins: stream.origin == .none)
  }
}
