import Testing

@testable import Derivation

@Suite("A file of states") struct StatesFileTests {
  @Test("states are listed as in a slot definition")
  func read() throws {
    let states = try StateMap.parse(
      yaml: "states:\n  - {id: 1, code: authorized, status: AUTH}\n  - {id: 2, code: none, status: null}\n",
      file: "map.yaml")
    #expect(
      states == [
        State(id: "1", code: "authorized", status: "AUTH"), State(id: "2", code: "none", status: nil),
      ])
  }

  @Test(
    "what is wrong is told with its place",
    arguments: [
      ("", "map.yaml:1:1: "),
      ("stats: []\n", "map.yaml:1:1: stats: there is no such key\n  hint: did you mean `states`?"),
      ("states:\n  - {id: 1, code: a}\n", "map.yaml:2:5: states[0].status: is missing"),
      ("states:\n  - {id: 1, code: a, status: A}\n  - {id: 1, code: b, status: B}\n", "map.yaml:3:5: "),
      ("a: [\n", "map.yaml:"),
    ])
  func refused(yaml: String, message: String) throws {
    let error = #expect(throws: DefinitionErrors.self) {
      try StateMap.parse(yaml: yaml, file: "map.yaml")
    }
    #expect(error?.description.hasPrefix(message) == true, "\(String(describing: error))")
  }
}
