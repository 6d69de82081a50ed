import Testing

@testable import Postgres

@Suite("What is asked of a stream, and why") struct StreamNegotiationTests {
  private func lines(_ number: Int, _ wishes: StreamWishes, slotIsTwoPhase: Bool = false) -> [String] {
    StreamNegotiation(
      server: ServerVersion(number: number), wishes: wishes, slotIsTwoPhase: slotIsTwoPhase
    ).explanations.map { "\($0.option) \($0.value)\($0.isDenied ? " (denied)" : ""): \($0.reason)" }
  }

  private static let everything = StreamWishes(
    streaming: true, twoPhase: true, binary: true, withoutOrigins: true)

  @Test("an old server grants nothing, and what was asked for by name is denied")
  func oldest() {
    #expect(
      lines(130_022, Self.everything) == [
        "proto_version 1: the server is 13.22 and speaks 1 only",
        "streaming off (denied): the server is 13.22; streamed transactions came with 14",
        "two_phase off (denied): the server is 13.22; pgoutput sends prepared transactions from 15 on",
        "binary off (denied): the server is 13.22; binary values came with 14",
        "messages off: the server is 13.22; logical messages came with 14",
        "origin any (denied): the server is 13.22; the option came with 16",
      ])
  }

  @Test("what is not asked for stays off, with the key that would ask for it")
  func defaults() {
    #expect(
      lines(150_020, StreamWishes()) == [
        "proto_version 3: the server is 15.20 and speaks 1 to 3",
        "streaming off: not asked for in stream.streaming: transactions are sent when they commit",
        "two_phase off: not asked for in stream.two_phase",
        "binary off: not asked for in stream.binary",
        "messages on: where no origin is granted, a message marks our own transactions",
        "origin any: our own transactions are dropped here, by name",
      ])
  }

  @Test("a new server grants everything")
  func newest() {
    #expect(
      lines(180_004, Self.everything) == [
        "proto_version 4: the server is 18.4 and speaks 1 to 4",
        "streaming parallel: large transactions are sent while they run, and an abort says where and when",
        "two_phase on: stream.two_phase is true",
        "binary on: stream.binary is true",
        "messages on: where no origin is granted, a message marks our own transactions",
        "origin none: stream.origin is none: no change that carries an origin is sent",
      ])
  }

  @Test("a two-phase slot stays so, but not where pgoutput knows nothing of it")
  func twoPhaseSlot() {
    let wishes = StreamWishes()
    #expect(
      lines(160_000, wishes, slotIsTwoPhase: true)[2] == "two_phase on: the slot is two-phase, and stays so")
    #expect(lines(140_000, wishes, slotIsTwoPhase: true)[2].hasPrefix("two_phase off: the server is 14.0;"))
  }

  @Test(
    "a slot is made for failover where the server can, unless told otherwise",
    arguments: [
      (16, nil, false), (16, true, false), (17, nil, true), (17, true, true), (17, false, false),
      (18, nil, true),
    ] as [(Int, Bool?, Bool)])
  func failover(major: Int, wished: Bool?, made: Bool) {
    #expect(
      StreamNegotiation.makesFailoverSlot(server: ServerVersion(number: major * 10_000), wished: wished)
        == made)
  }

  @Test(
    "each server's grammar for a slot",
    arguments: [
      (13, false, "NOEXPORT_SNAPSHOT"), (13, true, "NOEXPORT_SNAPSHOT"),
      (14, false, "NOEXPORT_SNAPSHOT"), (14, true, "NOEXPORT_SNAPSHOT TWO_PHASE"),
      (15, false, "(SNAPSHOT 'nothing')"), (15, true, "(SNAPSHOT 'nothing', TWO_PHASE 'true')"),
      (16, true, "(SNAPSHOT 'nothing', TWO_PHASE 'true')"), (17, false, "(SNAPSHOT 'nothing')"),
      (17, true, "(SNAPSHOT 'nothing', TWO_PHASE 'true', FAILOVER 'true')"),
      (18, true, "(SNAPSHOT 'nothing', TWO_PHASE 'true', FAILOVER 'true')"),
    ])
  func slots(major: Int, all: Bool, sql: String) {
    let server = ServerVersion(number: major * 10_000)
    #expect(
      Connection.slotOptions(server: server, exportingSnapshot: false, twoPhase: all, failover: all) == sql)
    let exporting = sql.replacing("NOEXPORT", with: "EXPORT").replacing("'nothing'", with: "'export'")
    #expect(
      Connection.slotOptions(server: server, exportingSnapshot: true, twoPhase: all, failover: all)
        == exporting)
  }
}
