import Derivation
import Testing

@Suite("A state map")
struct StateMapTests {
  private let map = StateMap([
    State(id: "1", code: "authorized", status: "AUTH"),
    State(id: "2", code: "captured", status: "CAPTURED"),
    State(id: "3", code: "paid", status: "pay\u{E9}"),
    State(id: "9", code: "unknown", status: nil),
  ])

  @Test("gives the state of a status, and NULL is a status")
  func lookup() {
    #expect(map.state(for: "CAPTURED")?.id == "2")
    #expect(map.state(for: nil)?.code == "unknown")
    #expect(map.state(id: "1")?.status == "AUTH")
    #expect(map.state(for: "REFUNDED") == nil)
    #expect(map.state(id: "7") == nil)
  }

  @Test("tells case, spaces, the empty text and Unicode normalization apart")
  func exactness() {
    let decomposed = "paye\u{301}"
    #expect(decomposed == "pay\u{E9}", "Swift holds the two for equal, which is the trap")
    #expect(map.state(for: ExactText(decomposed)) == nil)
    for other in ["auth", " AUTH", "AUTH ", "AUTH\u{A0}", ""] {
      #expect(map.state(for: ExactText(other)) == nil)
    }
  }

  @Test("looks up bytes that are not UTF-8")
  func notUTF8() {
    let latin = ExactText(bytes: [0x70, 0xE9])
    let map = StateMap([State(id: "1", code: "p", status: latin)])
    #expect(map.state(for: latin)?.id == "1")
    #expect(map.state(for: ExactText(bytes: [0x70, 0xE8])) == nil)
    #expect(latin.string == "p\u{FFFD}")
  }

  @Test("without problems brings every status back")
  func roundTrip() {
    #expect(map.problems.isEmpty)
    for row in map.rows { #expect(map.roundTrips(row.status)) }
    #expect(!map.roundTrips("REFUNDED"))
  }

  @Test("lists its NULLs and duplicates, and what each would do")
  func problems() {
    let map = StateMap(rows: [
      StateRow(id: "1", code: "authorized", status: "AUTH"),
      StateRow(id: nil, code: "captured", status: "CAPTURED"),
      StateRow(id: "3", code: nil, status: "Settled"),
      StateRow(id: "1", code: "auth_2", status: "auth"),
      StateRow(id: "5", code: "authorized", status: nil),
      StateRow(id: "6", code: "none", status: nil),
    ])
    #expect(
      map.problems == [
        .nullID(row: 1, status: "CAPTURED"),
        .nullCode(row: 2, id: "3"),
        .duplicateID("1", rows: [0, 3], statuses: ["AUTH", "auth"]),
        .duplicateCode("authorized", rows: [0, 4]),
        .duplicateStatus(nil, rows: [4, 5], ids: ["5", "6"]),
      ])
    #expect(
      map.problems.map(\.description) == [
        "status `CAPTURED` has no id",
        "id `3` has no code",
        "id `1` stands for `AUTH` and `auth`: going back would lose all but one",
        "code `authorized` is given to 2 states",
        "status NULL maps to `5` and `6`",
      ])
    #expect(map.state(for: "CAPTURED") == nil, "a state without an id cannot be written")
    #expect(!map.roundTrips("auth"))
  }

  @Test("texts that only look the same are no duplicates")
  func notDuplicates() {
    let map = StateMap([
      State(id: "1", code: "caf\u{E9}", status: "\u{E9}"),
      State(id: "2", code: "cafe\u{301}", status: "e\u{301}"),
    ])
    #expect(map.problems.isEmpty)
  }

  @Test("lists the statuses it does not know, with the one that looks like each")
  func totality() {
    let problems = map.unmapped(among: ["AUTH", "auth ", "REFUNDED", nil, "paye\u{301}", "REFUNDED"])
    #expect(
      problems == [
        .unmapped("REFUNDED", lookalike: nil),
        .unmapped("auth ", lookalike: "AUTH"),
        .unmapped("paye\u{301}", lookalike: "pay\u{E9}"),
      ])
    #expect(
      problems[1].description == "status `auth ` is not in the map; `AUTH` is, and differs in its bytes")
    #expect(
      StateMap([]).unmapped(among: [nil, "x"]) == [
        .unmapped(nil, lookalike: nil), .unmapped("x", lookalike: nil),
      ])
  }

  @Test("is compared with the rows of the table")
  func differences() {
    let expected = [
      State(id: "1", code: "authorized", status: "AUTH"),
      State(id: "2", code: "captured", status: "CAPTURED"),
      State(id: "3", code: "settled", status: "Settled"),
    ]
    let found = [
      StateRow(id: "3", code: "settled", status: "SETTLED"),
      StateRow(id: "1", code: "authorized", status: "AUTH"),
      StateRow(id: "1", code: "again", status: "AUTH"),
      StateRow(id: nil, code: "lost", status: nil),
    ]
    #expect(
      StateMapDifference.between(expected: expected, found: found) == [
        .missing(expected[1]),
        .different(expected: expected[2], found: found[0]),
        .unexpected(found[2]),
        .unexpected(found[3]),
      ])
    #expect(StateMapDifference.between(expected: expected, found: expected.map(StateRow.init)).isEmpty)
  }
}
