import Testing

@Suite("States in a slot definition")
struct StateFaultTests {
  @Test("states are a list")
  func statesAreAList() {
    #expect(
      faults(
        definition(
          replacing: "    status: legacy_status", with: "    status: legacy_status\n    states: {id: 1}"))
          == """
          slot.yaml:15:13: derive.map.states: is a mapping, must be a list of states
            hint: write `{id: 1, code: authorized, status: AUTH}` for each, or remove the key
          """)
  }

  @Test("a state is a mapping with three keys")
  func aStateIsAMappingWithThreeKeys() {
    #expect(
      faults(
        definition(
          replacing: "    status: legacy_status",
          with:
            "    status: legacy_status\n    states:\n      - AUTH\n      - {id: 2, code: captured, stauts: CAPTURED}\n      - {id: 3, code: \"\", status: }"
        )) == """
          slot.yaml:16:9: derive.map.states[0]: is `AUTH`, must be a mapping
            hint: write `{id: 1, code: authorized, status: AUTH}`
          slot.yaml:17:33: derive.map.states[1].stauts: there is no such key
            hint: did you mean `status`?
          slot.yaml:18:23: derive.map.states[2].code: is an empty text, must be a code
            hint: write a word for the state: `authorized`
          slot.yaml:18:27: derive.map.states[2].status: is empty
            hint: write `''` for the empty text, `null` for SQL NULL
          """)
  }

  @Test("an id is written as PostgreSQL prints it")
  func anIdIsWrittenAsPostgreSQLPrintsIt() {
    #expect(
      faults(
        definition(
          replacing: "    status: legacy_status",
          with:
            "    status: legacy_status\n    states:\n      - {id: 01, code: a, status: A}\n      - {id: 1_000, code: b, status: B}\n      - {id: \"\", code: c, status: C}\n      - {id: null, code: d, status: D}"
        )) == """
          slot.yaml:16:14: derive.map.states[0].id: is `01`, which PostgreSQL would print otherwise
            hint: write digits without leading zeros or _
          slot.yaml:17:14: derive.map.states[1].id: is `1_000`, which PostgreSQL would print otherwise
            hint: write digits without leading zeros or _
          slot.yaml:18:14: derive.map.states[2].id: is an empty text, must be an id
            hint: write it as PostgreSQL prints it: `1`, or a UUID
          slot.yaml:19:10: derive.map.states[3].id: is empty
            hint: write `{id: 1, code: authorized, status: AUTH}`
          """)
  }

  @Test("ids, codes and statuses are each given once")
  func idsCodesAndStatusesAreEachGivenOnce() {
    #expect(
      faults(
        definition(
          replacing: "    status: legacy_status",
          with:
            "    status: legacy_status\n    states:\n      - {id: 1, code: a, status: A}\n      - {id: 1, code: b, status: B}\n      - {id: 3, code: a, status: C}\n      - {id: 4, code: d, status: A}"
        )) == """
          slot.yaml:17:9: derive.map.states[1]: id `1` stands for `A` and `B`: going back would lose all but one
            hint: give each state an id, a code and a status of its own
          slot.yaml:18:9: derive.map.states[2]: code `a` is given to 2 states
            hint: give each state an id, a code and a status of its own
          slot.yaml:19:9: derive.map.states[3]: status `A` maps to `1` and `4`
            hint: give each state an id, a code and a status of its own
          """)
  }
}
