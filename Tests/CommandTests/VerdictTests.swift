import Derivation
import Foundation
import LocalCluster
import Logging
import Migration
import PGOutput
import Postgres
import Testing

extension CommandTests {
  /// What a cutover asks: is every row right as of this position?
  @Suite("What is verified as of a position", .serialized) struct Verdicts {
    @Test(
      "a pass and what was touched since make a verdict; a wrong row, a still stream and a new map unmake it")
    func course() throws {
      let slot = try LedgerSlot("verdict_course", rows: 500)
      try #require(try slot.crossfade("expand").status == .exited(0))
      let definition = try SlotDefinition.parse(
        yaml: slot.definition, file: slot.path,
        environment: slot.environment.compactMapValues { $0 })
      let interrupt = try #require(Interrupt())
      let connection = try slot.connect()
      func position() throws -> LSN {
        let row = try connection.query("SELECT pg_current_wal_insert_lsn()", purpose: "ask")
        return try #require(row[0, 0].flatMap { LSN($0) })
      }
      func verdict(at position: LSN, wait: Duration = .seconds(20)) throws -> VerifiedStanding.Verdict {
        var options = VerifyOptions()
        options.wait = wait
        return try Verify(
          definition: definition, options: options, interrupt: interrupt,
          logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        ).verdict(at: position)
      }
      #expect(try VerifiedStanding.load(slot: slot.name, on: connection) == nil)
      try slot.start()
      try #require(try slot.crossfade("backfill").status == .exited(0))
      let asked = try position()
      let begun = try verdict(at: asked)
      #expect(begun == .verified, "asked for \(asked)")
      let first = try #require(try VerifiedStanding.load(slot: slot.name, on: connection))
      #expect(first.isWhole && first.rows == 500 && first.mismatches == 0)

      // Touched since: looked at again, the rest is not.
      try slot.sql("UPDATE transactions SET status = 'REFUNDED' WHERE id <= 20")
      let later = try position()
      #expect(first.verdict(at: later) == .behind(through: first.through))
      #expect(try verdict(at: later) == .verified)
      let second = try #require(try VerifiedStanding.load(slot: slot.name, on: connection))
      #expect(second.through >= later && second.since == first.since && second.rows == 500)

      // TRUNCATE takes wrong rows away, and makes none.
      try slot.sql("UPDATE transactions SET status = 'auth' WHERE id = 5")
      #expect(try verdict(at: position()) == .differences(1))
      try slot.sql("TRUNCATE transactions")
      #expect(try verdict(at: position()) == .verified)

      try slot.stop()
      try slot.sql(
        "INSERT INTO transactions (card_token, merchant_id, amount_cents, currency) VALUES ('x', 1, 1, 'EUR')"
      )
      let still = try verdict(at: position(), wait: .milliseconds(300))
      guard case .behind = still else {
        Issue.record("\(still)")
        return
      }
      try slot.sql("UPDATE transaction_state SET legacy_status = 'x' WHERE id = 8")
      #expect(throws: MigrationError.self) { try verdict(at: position()) }
      let standing = try #require(try VerifiedStanding.load(slot: slot.name, on: connection))
      #expect(
        standing.verdict(at: first.since).description.hasPrefix("what was verified does not count any more"))
    }
  }
}
