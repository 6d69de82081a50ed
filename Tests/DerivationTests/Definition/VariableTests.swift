import Derivation
import Testing

@Suite("Variables in a slot definition")
struct VariableTests {
  private func source(_ written: String, _ environment: [String: String]) throws -> String {
    let yaml = definition(replacing: "host=/run/ledger dbname=ledger", with: written)
    return try SlotDefinition.parse(yaml: yaml, file: "slot.yaml", environment: environment).source.revealed
  }

  @Test("take their value from the environment, once")
  func value() throws {
    #expect(try source("${A}", ["A": "host=x"]) == "host=x")
    #expect(try source("host=${A} user=${B}", ["A": "x", "B": "${A}$$"]) == "host=x user=${A}$$")
  }

  @Test("take their default when unset or empty")
  func defaults() throws {
    #expect(try source("host=${A:-y}", [:]) == "host=y")
    #expect(try source("host=${A:-y}", ["A": ""]) == "host=y")
    #expect(try source("host=${A:-y}", ["A": "x"]) == "host=x")
    #expect(try source("host=x${A:-}", [:]) == "host=x")
    #expect(try source("${A:-postgresql://h:5432/d?a:-b}", [:]) == "postgresql://h:5432/d?a:-b")
  }

  @Test("are written with $$ for a dollar sign, and a lone $ is itself")
  func dollars() throws {
    #expect(try source("password=a$$b$c$", [:]) == "password=a$b$c$")
    #expect(try source("password=$${A}", ["A": "x"]) == "password=${A}")
  }

  @Test("are read in the log's directory too, and nowhere else")
  func places() throws {
    let yaml = definition(replacing: "/var/lib/crossfade", with: "${DIR:-/srv}/log")
    #expect(try SlotDefinition.parse(yaml: yaml, file: "f", environment: [:]).log.directory == "/srv/log")
    #expect(
      faults(definition(replacing: "slot: ledger_states", with: "slot: ${A}"), environment: ["A": "x"]) == """
        slot.yaml:2:7: slot: is `${A}`, must be 1 to 63 of a-z, 0-9 and _
          hint: name it after what it derives: `crossfade_transaction_state`
        """)
  }
}
