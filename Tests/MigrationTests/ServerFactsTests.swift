import Postgres
import Testing

@testable import Migration

@Suite("What check says of the server") struct ServerFactsTests {
  private func failing(
    needsSlot: Bool = true, needsSender: Bool = true, _ change: (inout ServerFacts) -> Void
  ) -> [String] {
    Fixture.lines(
      changed(Fixture.server, change).findings(needsSlot: needsSlot, needsSender: needsSender).filter {
        $0.level != .pass
      })
  }

  @Test("a server that is set up passes throughout")
  func good() {
    #expect(
      Fixture.lines(Fixture.server.findings(needsSlot: true, needsSender: true)) == [
        "pass server version: PostgreSQL 15.18", "pass wal_level: logical",
        "pass server role: it takes writes",
        "pass max_replication_slots: 2 of 10 in use", "pass max_wal_senders: 1 of 10 in use",
        "pass WAL retention: a slot may hold back 65536 MiB (max_slot_wal_keep_size)",
        "pass synchronous_commit: on",
      ])
  }

  @Test("13 to 18 pass, 12 fails, 19 warns")
  func versions() {
    for major in 13...18 {
      #expect(failing { $0.version = ServerVersion(number: major * 10_000 + 1) }.isEmpty)
    }
    #expect(
      failing { $0.version = ServerVersion(number: 120_022) } == [
        "fail server version: PostgreSQL 12.22 is older than what is supported | upgrade the server to 13 or later"
      ])
    #expect(
      failing { $0.version = ServerVersion(number: 190_000) }.first?.hasPrefix("warn server version") == true)
  }

  @Test("wal_level replica fails with the statement that mends it")
  func walLevel() {
    #expect(
      failing { $0.walLevel = "replica" } == [
        "fail wal_level: replica; a logical slot needs logical "
          + "| ALTER SYSTEM SET wal_level = logical;  -- then restart the server"
      ])
  }

  @Test("a standby fails")
  func standby() {
    #expect(
      failing { $0.inRecovery = true }.first?.hasPrefix("fail server role: this server is a standby") == true)
  }

  @Test("a full pool fails only when a place in it is needed")
  func pools() {
    let full: (inout ServerFacts) -> Void = {
      $0.slots.used = 10
      $0.senders.used = 10
    }
    #expect(
      failing(full) == [
        "fail max_replication_slots: 10 of 10 in use: none is free for this slot "
          + "| ALTER SYSTEM SET max_replication_slots = 14;  -- then restart the server",
        "fail max_wal_senders: 10 of 10 in use: none is free for this slot "
          + "| ALTER SYSTEM SET max_wal_senders = 14;  -- then restart the server",
      ])
    #expect(failing(needsSlot: false, needsSender: false, full).isEmpty)
  }

  @Test("unlimited retention and asynchronous commit warn")
  func warnings() {
    let found = failing {
      $0.slotKeepMebibytes = -1
      $0.synchronousCommit = "off"
    }
    #expect(found.map { $0.prefix(4) } == ["warn", "warn"])
    #expect(found[1].contains("wal_writer_delay (200ms)"))
  }
}
