import Derivation
import Postgres
import Testing

@testable import Migration

@Suite("Sessions of a migration's commands") struct SlotConnectionTests {
  private let interrupt: Interrupt

  init() throws { interrupt = try #require(Interrupt()) }

  @Test(
    "leave the application its cores: no parallel workers, but those that the definition gives an index build"
  )
  func workers() throws {
    var ledger = try LedgerDatabase("slot_connection")
    func workers() throws -> [String?] {
      let session = try SlotConnection(ledger.definition, command: "constrain").connect(nil, interrupt)
      return try ["max_parallel_workers_per_gather", "max_parallel_maintenance_workers"].map {
        try session.query("SHOW \($0)", purpose: "ask")[0, 0]
      }
    }
    #expect(try workers() == ["0", "0"])
    ledger.definition.migrate.indexWorkers = 3
    #expect(try workers() == ["0", "3"])
  }
}
