import Testing

@Suite("Variables and secrets in a slot definition")
struct VariableFaultTests {
  @Test("a missing variable is told with its own place")
  func aMissingVariableIsToldWithItsOwnPlace() {
    #expect(
      faults(
        definition(replacing: "host=/run/ledger dbname=ledger", with: "host=${PGHOST_X} dbname=${LEDGER_DB}"))
          == """
          slot.yaml:4:20: source.connection: the environment variable PGHOST_X is not set
            hint: set PGHOST_X before starting, or give a default: `${PGHOST_X:-...}`
          slot.yaml:4:39: source.connection: the environment variable LEDGER_DB is not set
            hint: set LEDGER_DB before starting, or give a default: `${LEDGER_DB:-...}`
          """)
  }

  @Test("an empty variable is told")
  func anEmptyVariableIsTold() {
    #expect(
      faults(
        definition(replacing: "host=/run/ledger dbname=ledger", with: "${CROSSFADE_SOURCE}"),
        environment: ["CROSSFADE_SOURCE": ""]) == """
          slot.yaml:4:15: source.connection: the environment variable CROSSFADE_SOURCE is empty
            hint: set CROSSFADE_SOURCE before starting, or give a default: `${CROSSFADE_SOURCE:-...}`
          """)
  }

  @Test("an open reference is told")
  func anOpenReferenceIsTold() {
    #expect(
      faults(definition(replacing: "host=/run/ledger dbname=ledger", with: "${CROSSFADE_SOURCE")) == """
        slot.yaml:4:15: source.connection: has a `${` without its `}`
          hint: close it, or write `$$` for a dollar sign
        """)
  }

  @Test("a reference to no variable is told")
  func aReferenceToNoVariableIsTold() {
    #expect(
      faults(definition(replacing: "host=/run/ledger dbname=ledger", with: "${1x} ${} ${A-b}")) == """
        slot.yaml:4:15: source.connection: has a `${...}` that does not name a variable
          hint: write `${NAME}` or `${NAME:-default}`, and `$$` for a dollar sign
        slot.yaml:4:21: source.connection: has a `${...}` that does not name a variable
          hint: write `${NAME}` or `${NAME:-default}`, and `$$` for a dollar sign
        slot.yaml:4:25: source.connection: has a `${...}` that does not name a variable
          hint: write `${NAME}` or `${NAME:-default}`, and `$$` for a dollar sign
        """)
  }

  @Test("a connection string of spaces is told")
  func aConnectionStringOfSpacesIsTold() {
    #expect(
      faults(definition(replacing: "host=/run/ledger dbname=ledger", with: "\"${S:-  }\"")) == """
        slot.yaml:4:15: source.connection: is empty, must be a connection string
          hint: write `connection: ${CROSSFADE_SOURCE}`, a conninfo string or a URI
        """)
  }

  @Test("a connection that is a mapping is told without what it holds")
  func aConnectionThatIsAMappingIsToldWithoutWhatItHolds() {
    #expect(
      faults(
        definition(
          replacing: "connection: host=/run/ledger dbname=ledger", with: "connection: {password: hunter2}"))
          == """
          slot.yaml:4:15: source.connection: is a mapping, must be a connection string
            hint: write `connection: ${CROSSFADE_SOURCE}`, a conninfo string or a URI
          """)
  }

  @Test("a connection that is a list is told without what it holds")
  func aConnectionThatIsAListIsToldWithoutWhatItHolds() {
    #expect(
      faults(
        definition(replacing: "connection: host=/run/ledger dbname=ledger", with: "connection: [hunter2]"))
          == """
          slot.yaml:4:15: source.connection: is a list, must be a connection string
            hint: write `connection: ${CROSSFADE_SOURCE}`, a conninfo string or a URI
          """)
  }

  @Test("a password under the wrong key is not shown")
  func aPasswordUnderTheWrongKeyIsNotShown() {
    #expect(
      faults(
        definition(
          replacing: "connection: host=/run/ledger dbname=ledger", with: "postgresql://u:hunter2@h/d: x"))
          == """
          slot.yaml:3:1: source.connection: is missing
            hint: write `connection: ${CROSSFADE_SOURCE}`, a conninfo string or a URI
          slot.yaml:4:3: source.***: there is no such key
            hint: known here: `connection`
          """)
  }
}
