import Derivation
import Postgres
import Testing

@testable import Migration

@Suite("What check says of the publication") struct PublicationJudgeTests {
  private func line(_ change: (inout PublicationJudge) -> Void) throws -> String {
    let judge = PublicationJudge(
      name: try Identifier("fade"), publication: Fixture.publication, table: Fixture.table,
      derive: try Fixture.derive(), role: Fixture.role, hasBegun: false)
    return Fixture.lines(changed(judge, change).finding)
  }

  @Test("one that sends the table as needed passes")
  func good() throws {
    #expect(try line { _ in } == "pass publication: fade sends public.transactions as the slot needs it")
    let said1 = try line { $0.publication?.columns = nil }
    #expect(said1.hasPrefix("pass"))
    let said2 = try line { $0.publication?.viaRoot = false }
    #expect(said2.hasPrefix("pass"))
  }

  @Test("each shortcoming fails with the statement that mends it")
  func shortcomings() throws {
    #expect(
      try line { $0.publication?.missingActions = ["truncate"] }
        == "fail publication: fade does not publish truncate "
        + "| ALTER PUBLICATION \"fade\" SET (publish = 'insert, update, delete, truncate');")
    #expect(
      try line {
        $0.publication?.viaRoot = false
        $0.table.kind = "p"
      }.hasSuffix("SET (publish_via_partition_root = true);"))
    #expect(
      try line { $0.publication?.holdsTable = false }
        == "fail publication: public.transactions is not in fade "
        + "| ALTER PUBLICATION \"fade\" ADD TABLE \"public\".\"transactions\" (\"id\", \"status\", \"state_id\");"
    )
    let said3 = try line { $0.publication?.hasRowFilter = true }
    #expect(said3.contains("has a row filter"))
    let said4 = try line { $0.publication?.columns = ["id", "state_id"] }
    #expect(said4.contains("does not send status"))
  }

  @Test("a missing one is made by run, unless capture has begun or the role may not")
  func missing() throws {
    #expect(
      try line { $0.publication = nil }
        == "pass publication: fade does not exist yet; `crossfade run` makes it")
    let begun = try line {
      $0.publication = nil
      $0.hasBegun = true
    }
    #expect(begun.hasPrefix("fail publication: fade does not exist, though capture has begun"))
    let foreign = try line {
      $0.publication = nil
      $0.table.isOwned = false
      $0.role.version = ServerVersion(number: 140_000)
    }
    #expect(
      foreign
        == "fail publication: fade does not exist, and crossfade does not own public.transactions | as ledger: "
        + "CREATE PUBLICATION \"fade\" FOR TABLE \"public\".\"transactions\" WITH (publish_via_partition_root = true);"
    )
  }
}
