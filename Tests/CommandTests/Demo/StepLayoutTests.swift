import Testing

@testable import crossfade

@Suite("Steps on a terminal") struct StepLayoutTests {
  @Test("time and name stand in columns")
  func head() {
    let head = StepLayout(width: nil).head(.milliseconds(12_345), "ledger")
    #expect(head.time + head.step + "text" == "  12.3s  ledger     text")
    let late = StepLayout(width: nil).head(.seconds(123_456), "a long name indeed")
    #expect(late.time + late.step + "text" == "123456.0s  a long name indeed text")
  }

  @Test("text breaks between words where it would not fit, and never on a pipe")
  func wrapping() {
    let text = "nobody reads for two seconds: the application goes on"
    #expect(StepLayout(width: nil).lines(text) == [text])
    #expect(
      StepLayout(width: 45).lines(text) == ["nobody reads for two", "seconds: the application", "goes on"])
    #expect(StepLayout(width: 1).lines("an_unbreakable_word_of_some_length x").count == 2)
  }
}
