import Derivation
import Testing

@Suite("The hazards that a slot definition accepts")
struct AcceptedHazardTests {
  private func read(_ lines: String) throws -> Set<AcceptedHazard>? {
    try SlotDefinition.parse(
      yaml: definition(adding: "migrate:\n" + lines), file: "slot.yaml", environment: [:]
    ).migrate.accepted
  }

  @Test("without the key nothing is said; with it these and no others, and an empty list accepts none")
  func forms() throws {
    #expect(try read("  index: none") == nil)
    #expect(try read("  accept: []") == [])
    #expect(
      try read("  accept:\n    - INDEX_BUILD\n    - DELETES_DATA") == [.indexBuild, .deletesData])
  }

  @Test("unknown and repeated ones are told with their place")
  func wrong() {
    let text = faults(definition(adding: "migrate:\n  accept: [INDEX_BUILT, CORRECTNESS, CORRECTNESS]"))
    #expect(text.contains("slot.yaml:18:12: migrate.accept[0]: is `INDEX_BUILT`, must be one of"))
    #expect(text.contains("hint: did you mean `INDEX_BUILD`?"))
    #expect(text.contains("migrate.accept[2]: is `CORRECTNESS`, which the list already holds"))
    #expect(
      faults(definition(adding: "migrate:\n  accept: INDEX_BUILD")).contains("must be a list of hazards"))
  }
}
