import Derivation
import PGOutput
import Postgres

@testable import Migration

/// The ledger as the slot definition in `slots/` has it, and catalogs in which everything is in place.
enum Fixture {
  static func derive() throws -> SlotDefinition.Derive {
    SlotDefinition.Derive(
      table: try QualifiedName(sql: "public.transactions"), key: [try Identifier("id")],
      from: try Identifier("status"), to: try Identifier("state_id"), map: try map())
  }

  static func map() throws -> SlotDefinition.Map {
    SlotDefinition.Map(
      table: try QualifiedName(sql: "public.transaction_state"), id: try Identifier("id"),
      code: try Identifier("code"), status: try Identifier("legacy_status"), states: states)
  }

  static let states = [
    State(id: "1", code: "authorized", status: "AUTH"), State(id: "2", code: "captured", status: "CAPTURED"),
  ]

  static var table: TableFacts {
    TableFacts(
      oid: 16_400, kind: "r", persistence: "p", identity: "d", owner: "ledger", isOwned: true,
      rowSecurity: false,
      indexes: [.init(name: "transactions_pkey", columns: ["id"], isPrimary: true)],
      columns: [
        .init(name: "id", type: "bigint", isNotNull: true), .init(name: "status", type: "text"),
        .init(name: "state_id", type: "bigint"),
      ], barePartitions: [])
  }

  static var mapTable: TableFacts {
    var table = table
    table.indexes = [
      .init(name: "transaction_state_pkey", columns: ["id"], isPrimary: true),
      .init(name: "transaction_state_legacy_status_key", columns: ["legacy_status"]),
    ]
    table.columns = [
      .init(name: "id", type: "bigint", isNotNull: true), .init(name: "code", type: "text", isNotNull: true),
      .init(name: "legacy_status", type: "text"),
    ]
    return table
  }

  static var server: ServerFacts {
    ServerFacts(
      version: ServerVersion(number: 150_018), walLevel: "logical", inRecovery: false,
      slots: .init(limit: 10, used: 2), senders: .init(limit: 10, used: 1), slotKeepMebibytes: 65_536,
      synchronousCommit: "on", walWriterDelay: "200ms")
  }

  static var role: RoleFacts {
    RoleFacts(
      role: "crossfade", database: "ledger", mayReplicate: true, mayCreate: true, schema: nil, tables: [],
      mayUseOrigins: false, version: ServerVersion(number: 150_018))
  }

  static var publication: PublicationFacts {
    PublicationFacts(
      missingActions: [], viaRoot: true, holdsTable: true, hasRowFilter: false,
      columns: ["id", "status", "state_id"])
  }

  /// `level subject: found | fix`, a line each: to be compared whole.
  static func lines(_ findings: [Finding]) -> [String] {
    findings.map { "\($0.level.rawValue) \($0.subject): \($0.found)" + ($0.fix.map { " | \($0)" } ?? "") }
  }

  static func lines(_ finding: Finding) -> String { lines([finding])[0] }
}

func changed<Value>(_ value: Value, _ body: (inout Value) -> Void) -> Value {
  var copy = value
  body(&copy)
  return copy
}
