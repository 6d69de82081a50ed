import Derivation
import Foundation
import Testing

@Suite("A slot definition that stands")
struct GoldenDefinitionTests {
  private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()

  private static let states = [
    State(id: "1", code: "authorized", status: "AUTH"),
    State(id: "2", code: "captured", status: "CAPTURED"),
    State(id: "3", code: "settled", status: "Settled"),
    State(id: "4", code: "declined", status: "DECLINED"),
    State(id: "5", code: "reversed", status: "reversed"),
    State(id: "6", code: "refunded", status: "REFUNDED"),
    State(id: "7", code: "chargeback", status: "CHARGE BACK"),
    State(id: "8", code: "expired", status: "EXPIRED"),
  ]

  @Test("slots/transaction-state.yaml reads as what it says")
  func shipped() throws {
    let file = Self.root.appending(path: "slots/transaction-state.yaml")
    let definition = try SlotDefinition.parse(
      yaml: String(contentsOf: file, encoding: .utf8), file: file.lastPathComponent,
      environment: ["CROSSFADE_SOURCE": "host=/run/ledger dbname=ledger"])
    let expected = SlotDefinition(
      slot: "crossfade_transaction_state",
      publication: try Identifier("crossfade_transaction_state"),
      source: ConnectionString("host=/run/ledger dbname=ledger"),
      derive: SlotDefinition.Derive(
        layout: .inPlace, table: try QualifiedName(sql: "public.transactions"), key: [try Identifier("id")],
        from: try Identifier("status"), to: try Identifier("state_id"),
        map: SlotDefinition.Map(
          table: try QualifiedName(sql: "public.transaction_state"), id: try Identifier("id"),
          code: try Identifier("code"), status: try Identifier("legacy_status"), states: Self.states)),
      log: SlotDefinition.Log(
        directory: "/var/lib/crossfade/transaction-state", segment: ByteCount(bytes: 67_108_864)),
      confirm: .logged,
      write: SlotDefinition.Write(
        batch: 5_000, lockTimeout: Milliseconds(100), statementTimeout: Milliseconds(30_000),
        synchronousCommit: .off),
      backfill: SlotDefinition.Backfill(batch: 1_000, pause: Milliseconds(10)))
    #expect(definition == expected)
  }

  @Test("fixtures/state-map.sql holds the states of slots/transaction-state.yaml")
  func fixture() throws {
    let sql = try String(contentsOf: Self.root.appending(path: "fixtures/state-map.sql"), encoding: .utf8)
    let rows = Self.states.map { "(\($0.id), '\($0.code)', '\($0.status?.string ?? "")')" }
    let expected = """
      INSERT INTO public.transaction_state (id, code, legacy_status) VALUES
        \(rows.joined(separator: ",\n  "))
      """
    #expect(sql.contains(expected))
  }

  @Test("what is left out has its default")
  func defaults() throws {
    let definition = try SlotDefinition.parse(yaml: smallest, file: "slot.yaml", environment: [:])
    #expect(definition.publication == (try Identifier("ledger_states")))
    #expect(definition.derive.layout == .inPlace)
    #expect(definition.derive.map.states.isEmpty)
    #expect(definition.log.segment == ByteCount(bytes: 64 << 20))
    #expect(definition.confirm == .logged)
    #expect(definition.stream == SlotDefinition.Stream())
    #expect(definition.write == SlotDefinition.Write())
    #expect(definition.backfill == SlotDefinition.Backfill())
  }

  @Test(
    "YAML's truth words are the words of synchronous_commit",
    arguments: SlotDefinition.SynchronousCommit.allCases)
  func synchronousCommit(_ value: SlotDefinition.SynchronousCommit) throws {
    for written in [value.rawValue, "\"\(value.rawValue)\"", "'\(value.rawValue)'"] {
      let yaml = definition(adding: "write:\n  synchronous_commit: \(written)")
      let read = try SlotDefinition.parse(yaml: yaml, file: "slot.yaml", environment: [:])
      #expect(read.write.synchronousCommit == value)
    }
  }

  @Test("names that need double quotes are read as in SQL")
  func quotedNames() throws {
    let yaml = definition(
      replacing: "table: public.transactions", with: #"table: '"My Schema"."T""x"'"#
    ).replacing("from: status", with: #"from: '"Status"'"#)
    let read = try SlotDefinition.parse(yaml: yaml, file: "slot.yaml", environment: [:])
    #expect(read.derive.table.schema.name == "My Schema")
    #expect(read.derive.table.name.name == "T\"x")
    #expect(read.derive.table.quoted == #""My Schema"."T""x""#)
    #expect(read.derive.from.name == "Status")
  }

  @Test("anchors and aliases are read")
  func anchors() throws {
    let yaml = definition(adding: "write:\n  batch: &size 700\nbackfill:\n  batch: *size\n")
    let read = try SlotDefinition.parse(yaml: yaml, file: "slot.yaml", environment: [:])
    #expect(read.write.batch == 700)
    #expect(read.backfill.batch == 700)
  }

  @Test("a section whose keys are all commented out has its defaults")
  func emptySection() throws {
    let yaml = definition(adding: "write:\n  # batch: 10\nbackfill:\n")
    let read = try SlotDefinition.parse(yaml: yaml, file: "slot.yaml", environment: [:])
    #expect(read.write == SlotDefinition.Write())
  }

  @Test("statuses are texts to the byte: NULL, the empty text, spaces, truth words, normalization")
  func statuses() throws {
    let yaml = definition(
      replacing: "    status: legacy_status",
      with: """
            status: legacy_status
            states:
              - {id: 1, code: none, status: null}
              - {id: 2, code: empty, status: ''}
              - {id: 3, code: padded, status: ' PAID '}
              - {id: 4, code: "no", status: NO}
              - {id: 5, code: quoted_null, status: "NULL"}
              - {id: 6, code: composed, status: "r\u{E9}gl\u{E9}"}
              - {id: 7, code: decomposed, status: "re\u{301}gle\u{301}"}
              - {id: 8, code: number, status: 05}
        """)
    let read = try SlotDefinition.parse(yaml: yaml, file: "slot.yaml", environment: [:])
    let statuses: [ExactText?] = [
      nil, "", " PAID ", "NO", "NULL", "r\u{E9}gl\u{E9}", "re\u{301}gle\u{301}", "05",
    ]
    #expect(read.derive.map.states.map(\.status) == statuses)
  }
}
