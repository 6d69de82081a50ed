import Operations
import Testing

@Suite("A failure at the edge")
struct FailureTests {
  private let failure = Failure(
    summary: "slot crossfade is active elsewhere (PID 4711)",
    hint: "stop that process, or wait for it to end",
    isRetriable: true, exitCode: 75)

  @Test("is printed with its hint on a line of its own")
  func rendered() {
    #expect(
      failure.rendered() == """
        crossfade: slot crossfade is active elsewhere (PID 4711)
          hint: stop that process, or wait for it to end
        """)
    #expect(
      failure.description
        == "slot crossfade is active elsewhere (PID 4711) (stop that process, or wait for it to end)")
  }

  @Test("without a hint is one line")
  func withoutHint() {
    #expect(Failure(summary: "no", exitCode: 1).rendered(program: "demo") == "demo: no")
    #expect(Failure(summary: "no", hint: "", exitCode: 1).rendered() == "crossfade: no")
    #expect(Failure(summary: "no", hint: "", exitCode: 1).description == "no")
  }

  @Test("of many lines stays under its program's name")
  func manyLines() {
    #expect(
      Failure(summary: "two faults\na\nb", hint: "mend a\nmend b", exitCode: 78).rendered() == """
        crossfade: two faults
          a
          b
          hint: mend a
                mend b
        """)
  }

  @Test("never ends a process with 0")
  func exitCode() {
    #expect(Failure(summary: "no", exitCode: 0).exitCode == 70)
  }

  @Test("is a JSON answer too")
  func json() {
    #expect(
      Failure(summary: "no", exitCode: 1).json.compact
        == #"{"error":{"summary":"no","hint":null,"retriable":false,"exit_code":1}}"#)
  }
}
