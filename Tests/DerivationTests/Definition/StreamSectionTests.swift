import Derivation
import Testing

@Suite("The stream section of a slot definition")
struct StreamSectionTests {
  private func read(_ lines: String) throws -> SlotDefinition.Stream {
    try SlotDefinition.parse(
      yaml: definition(adding: "stream:\n" + lines), file: "slot.yaml", environment: [:]
    ).stream
  }

  @Test("every key is read")
  func all() throws {
    let read = try read(
      "  streaming: true\n  two_phase: true\n  binary: true\n  origin: any\n  failover: false")
    #expect(
      read
        == SlotDefinition.Stream(
          streaming: true, twoPhase: true, binary: true, origin: .any, failover: false))
  }

  @Test("what is left out has its default; failover then depends on the server")
  func defaults() throws {
    let read = try read("  # two_phase: true")
    #expect(!read.streaming && !read.twoPhase && !read.binary)
    #expect(read.origin == .any)
    #expect(read.failover == nil)
    #expect(try self.read("  failover: true").failover == true)
  }

  @Test("SQL's and YAML 1.1's other words for true are not taken")
  func otherTruths() {
    #expect(
      faults(definition(adding: "stream:\n  streaming: on\n  two_phase: Off\n  binary: 2")) == """
        slot.yaml:18:14: stream.streaming: is `on`, must be `true` or `false`
          hint: did you mean `true`?
        slot.yaml:19:14: stream.two_phase: is `Off`, must be `true` or `false`
          hint: did you mean `false`?
        slot.yaml:20:11: stream.binary: is `2`, must be `true` or `false`
          hint: write one of these words, without quotes
        """)
  }

  @Test("a truth in quotes, or a list, is refused")
  func shapes() {
    #expect(
      faults(definition(adding: "stream:\n  streaming: \"true\"\n  failover: [true]")) == """
        slot.yaml:18:14: stream.streaming: is `true` in quotes, must be `true` or `false`
          hint: write one of these words, without quotes
        slot.yaml:19:13: stream.failover: is a list, must be `true` or `false`
          hint: write one of these words, without quotes
        """)
  }

  @Test("what does not go with prepared transactions is told beside them")
  func twoPhase() {
    #expect(
      faults(definition(adding: "confirm: applied\nstream:\n  origin: none\n  two_phase: true")) == """
        slot.yaml:20:14: stream.two_phase: is true, and `confirm` is `applied`
          hint: a prepared transaction is sent once and kept in the log alone: write `confirm: logged`
        slot.yaml:20:14: stream.two_phase: is true, and `stream.origin` is `none`
          hint: the server would send half of a prepared transaction: write `origin: any`
        """)
  }

  @Test("another origin, an unknown key and an empty value are told")
  func words() {
    #expect(
      faults(definition(adding: "stream:\n  origin: local\n  two_phases: true\n  binary:")) == """
        slot.yaml:18:11: stream.origin: is `local`, must be one of `any`, `none`
          hint: write one of these words
        slot.yaml:19:3: stream.two_phases: there is no such key
          hint: did you mean `two_phase`?
        slot.yaml:20:3: stream.binary: is empty
          hint: give a value, or remove the key for its default
        """)
  }
}
