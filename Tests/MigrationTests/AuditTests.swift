import Derivation
import LocalCluster
import Postgres
import Testing

@testable import Migration

@Suite("The audit trail", .timeLimit(.minutes(10))) struct AuditTests {
  private let interrupt: Interrupt

  init() throws { interrupt = try #require(Interrupt()) }

  private func expanded(_ name: String) throws -> LedgerDatabase {
    let ledger = try LedgerDatabase(name)
    try ledger.expand(interrupt)
    return ledger
  }

  private func faults(_ ledger: LedgerDatabase) throws -> [String] {
    let read = try AuditTrail(slot: ledger.definition.slot, connection: ledger.connect()).read()
    return try #require(read).faults.map(\.description)
  }

  @Test("it tells who did what, and holds, whatever the reader's settings")
  func holds() throws {
    let ledger = try expanded("audit_holds")
    let connection = try ledger.connect()
    try connection.script(
      "SET timezone = 'Asia/Kathmandu'; SET datestyle = 'SQL, DMY'", purpose: "be elsewhere")
    let trail = try #require(try AuditTrail(slot: ledger.definition.slot, connection: connection).read())
    #expect(trail.faults == [])
    #expect(
      trail.rows.map { "\($0.number) \($0.event) \($0.step ?? "-")" } == [
        "1 done expand.schema", "2 done expand.map", "3 done expand.states", "4 done expand.column",
        "5 phase -",
      ])
    #expect(
      trail.rows[3].statement == #"ALTER TABLE "public"."transactions" ADD COLUMN "state_id" bigint"#)
    #expect(trail.rows[3].details == #"{"attempts": 1}"#)
    #expect(trail.rows[3].role == "postgres")
    #expect(trail.rows[3].client.hasSuffix(", crossfade expand s_audit_holds"), "\(trail.rows[3].client)")
    #expect(trail.rows[3].operatingSystemUser.contains("@"))
    #expect(trail.rows[4].details == #"{"to": "expanded", "from": "planned"}"#)
  }

  @Test(
    "whatever is changed, removed or exchanged is named",
    arguments: [
      (
        "UPDATE crossfade.audit SET os_user = 'nobody@nowhere' WHERE seq = 2",
        ["row 2 was changed: its hash is not that of its content"]
      ),
      (
        "UPDATE crossfade.audit SET at = at + interval '1 microsecond' WHERE seq = 1",
        ["row 1 was changed: its hash is not that of its content"]
      ),
      ("DELETE FROM crossfade.audit WHERE seq = 3", ["row 3 is missing"]),
      ("DELETE FROM crossfade.audit WHERE seq >= 4", ["rows 4 to 5 are missing"]),
      ("DELETE FROM crossfade.audit", ["rows 1 to 5 are missing"]),
      (
        "UPDATE crossfade.audit SET statement = 'x' WHERE seq = 2; UPDATE crossfade.audit AS a SET hash = \(AuditTrail.hash) WHERE seq = 2",
        [
          "row 3 does not follow from the one before: that was changed or exchanged"
        ]
      ),
      (
        "UPDATE crossfade.migration SET audit_hash = 'other'",
        ["row 5 is not the end that crossfade.migration remembers"]
      ),
    ])
  func broken(_ change: String, _ expected: [String]) throws {
    let ledger = try expanded("audit_broken_\(UInt32.random(in: 0...UInt32.max))")
    try ledger.run(change)
    #expect(try faults(ledger) == expected)
  }

  @Test("two who write at once stand in line, and the chain holds")
  func together() async throws {
    let ledger = try expanded("audit_together")
    let workers = (0..<4).map { _ in
      Worker { () -> Bool in
        guard let connection = try? ledger.connect() else { return false }
        let trail = AuditTrail(slot: ledger.definition.slot, connection: connection)
        return (0..<25).allSatisfy { _ in (try? trail.append(AuditEvent(.found, step: "s"))) != nil }
      }
    }
    for worker in workers { #expect(await worker.value) }
    #expect(try faults(ledger) == [])
    #expect(try ledger.column("SELECT count(*) FROM crossfade.audit") == ["105"])
  }

  @Test("a slot without a trail has none")
  func none() throws {
    let ledger = try LedgerDatabase("audit_none")
    #expect(try AuditTrail(slot: "s", connection: ledger.connect()).read() == nil)
    try ledger.expand(interrupt)
    #expect(try AuditTrail(slot: "s", connection: ledger.connect()).read() == nil)
  }
}
