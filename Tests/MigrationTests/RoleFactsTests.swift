import Postgres
import Testing

@testable import Migration

@Suite("What check says of the role") struct RoleFactsTests {
  private func lines(_ change: (inout RoleFacts) -> Void) -> [String] {
    Fixture.lines(changed(Fixture.role, change).findings)
  }

  @Test("a role with REPLICATION and CREATE passes, marked by messages")
  func good() {
    #expect(
      lines { _ in } == [
        "pass role: crossfade has REPLICATION", "pass control schema: not there yet; crossfade may create it",
        "pass mark of our writes: a logical message in each transaction (replication origins are not granted)",
      ])
  }

  @Test("missing rights fail with the grant, names quoted")
  func grants() {
    let found = lines {
      $0.role = "fade\"r"
      $0.mayReplicate = false
      $0.mayCreate = false
    }
    #expect(found[0].hasSuffix("| ALTER ROLE \"fade\"\"r\" REPLICATION;"))
    #expect(found[1].hasSuffix("| CREATE SCHEMA crossfade AUTHORIZATION \"fade\"\"r\";"))
  }

  @Test("a schema made by somebody else needs grants on it and on its tables")
  func schema() {
    #expect(
      lines { $0.schema = .init(usage: false, create: false) }[1].contains("GRANT USAGE ON SCHEMA crossfade"))
    #expect(
      lines { $0.schema = .init(usage: true, create: false) }[1]
        == "fail control schema: checkpoint, quarantine, direction, legacy, backfill missing from it, and crossfade may "
        + "not create tables there | GRANT USAGE, CREATE ON SCHEMA crossfade TO \"crossfade\";")
    #expect(
      lines {
        $0.schema = .init(usage: true, create: true)
        $0.tables = [
          .init(name: "checkpoint", missing: ["UPDATE", "DELETE"]), .init(name: "quarantine", missing: []),
        ]
      }[1]
        == "fail control schema: crossfade lacks privileges on checkpoint "
        + "| GRANT UPDATE, DELETE ON crossfade.checkpoint TO \"crossfade\";")
  }

  @Test("13 without origins has no mark, and fails with what a superuser may lend")
  func mark() throws {
    let found = lines {
      $0.version = ServerVersion(number: 130_023)
      $0.role = "fade\"r"
    }[2]
    #expect(found.hasPrefix("fail mark of our writes: before 14 there is no mark but a replication origin"))
    let fix = try #require(found.split(separator: " | ").last)
    #expect(
      fix.hasPrefix("as a superuser: CREATE SCHEMA IF NOT EXISTS crossfade AUTHORIZATION \"fade\"\"r\"; "))
    #expect(fix.hasSuffix("crossfade.mark_transaction(pg_lsn, timestamptz) TO \"fade\"\"r\";"))
    #expect(
      lines {
        $0.version = ServerVersion(number: 130_023)
        $0.mayUseOrigins = true
      }[2] == "pass mark of our writes: a replication origin")
  }
}
