import Derivation
import Testing

@testable import Migration
@testable import Postgres

@Suite("What check says of the stream's options") struct StreamJudgeTests {
  private func lines(
    _ major: Int, _ wishes: SlotDefinition.Stream, twoPhaseSlot: Bool = false
  ) -> [String] {
    var slot = SlotFactsTests.slot(confirmed: 0x100)
    slot.twoPhase = twoPhaseSlot
    let judge = StreamJudge(wishes, server: ServerVersion(number: major * 10_000 + 2), slot: slot)
    return judge.findings.map { "\($0.level.rawValue) \($0.subject): \($0.found)" }
  }

  @Test("what can be had is not worth a line", arguments: 13...18)
  func silent(major: Int) {
    #expect(lines(major, SlotDefinition.Stream()) == [])
  }

  @Test("what was asked for and cannot be had warns")
  func denied() {
    let all = SlotDefinition.Stream(twoPhase: true, binary: true, origin: .none, failover: true)
    #expect(
      lines(13, all) == [
        "warn stream: two_phase stays off: the server is 13.2; pgoutput sends prepared transactions from 15 on",
        "warn stream: binary stays off: the server is 13.2; binary values came with 14",
        "warn stream: origin stays any: the server is 13.2; the option came with 16",
        "warn stream: failover stays off: the server is 13.2; synchronized slots came with 17",
      ])
    var other = all
    other.origin = .any
    #expect(lines(17, other) == [])
    #expect(lines(17, all).map { $0.prefix(29) } == ["fail stream: with origin none"])
  }

  @Test("streaming is warned of where the server can, denied where it cannot")
  func streaming() {
    let wishes = SlotDefinition.Stream(streaming: true)
    #expect(
      lines(13, wishes) == [
        "warn stream: streaming stays off: the server is 13.2; streamed transactions came with 14"
      ])
    #expect(
      lines(18, wishes).map { $0.prefix(57) } == [
        "warn stream: a server that streams does not tell that a s"
      ])
  }

  @Test("a slot that is two-phase against the definition warns, where the server cares")
  func twoPhaseSlot() {
    #expect(
      lines(15, SlotDefinition.Stream(), twoPhaseSlot: true) == [
        "warn stream: fade is two-phase, though stream.two_phase is false: a slot stays so once it is"
      ])
    #expect(lines(14, SlotDefinition.Stream(), twoPhaseSlot: true) == [])
    #expect(lines(15, SlotDefinition.Stream(twoPhase: true), twoPhaseSlot: true) == [])
  }
}
