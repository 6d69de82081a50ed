import Testing

@testable import Migration
@testable import Postgres

@Suite("What check says of a failover") struct FailoverFactsTests {
  /// A failover slot on 18 that waits for the one standby there is.
  private func lines(_ change: (inout FailoverFacts) -> Void = { _ in }) -> [String] {
    var slot = SlotFactsTests.slot(confirmed: 0x100)
    slot.failover = true
    let facts = FailoverFacts(
      name: "fade", slot: slot, wished: nil, server: ServerVersion(number: 180_000),
      physical: [.init(name: "north", isActive: true, isLost: false)], standbys: 1, awaited: ["north"])
    return Fixture.lines(changed(facts, change).findings)
  }

  @Test("a slot that waits for its standbys passes, and one without standbys has nobody to wait for")
  func good() {
    #expect(
      lines() == ["pass failover: fade is synchronized to standbys, and sends what north already has"])
    #expect(
      lines {
        $0.slot = nil
        $0.standbys = 0
        $0.physical = []
        $0.awaited = []
      } == ["pass failover: fade is synchronized to standbys; there is none"])
  }

  @Test("a server that synchronizes no slots, or a definition that wants none, is left alone")
  func silent() {
    #expect(lines { $0.server = ServerVersion(number: 160_000) } == [])
    #expect(
      lines {
        $0.wished = false
        $0.slot?.failover = false
      } == [])
  }

  @Test("standbys nobody waits for may lack what the log holds: the setting is offered, with their slots")
  func unguarded() {
    #expect(
      lines { $0.awaited = [] } == [
        "warn failover: synchronized_standby_slots is empty: a standby may lack what the log already holds, and once "
          + "such a one is promoted `crossfade run` refuses | ALTER SYSTEM SET synchronized_standby_slots = 'north'; "
          + "SELECT pg_reload_conf();  -- those of the standbys that may be promoted"
      ])
    let slotless = lines {
      $0.awaited = []
      $0.physical = []
    }
    #expect(slotless.count == 1 && slotless[0].contains("| give each standby a primary_slot_name"))
  }

  @Test("a slot that is awaited and not there, lost, or not read holds everything up")
  func obstacles() {
    let missing = lines { $0.awaited = ["north", "south"] }
    #expect(missing.count == 1)
    #expect(
      missing[0].hasPrefix(
        "fail failover: synchronized_standby_slots names south, which is no physical slot here: no change is sent "
          + "through fade until it is | SELECT pg_create_physical_replication_slot('south');"))
    let lost = lines { $0.physical[0].isLost = true }
    #expect(
      lost[0].contains("names north, which is lost: no change is sent through fade until it is made anew"))
    let idle = lines { $0.physical[0].isActive = false }
    #expect(
      idle[0].hasPrefix(
        "warn failover: synchronized_standby_slots names north, and no standby streams through it: no change is sent "
          + "through fade until one has caught up | start that standby"))
  }

  @Test("a slot made without failover warns where somebody stands by, or where it was asked for")
  func unsynchronized() {
    let standby = lines { $0.slot?.failover = false }
    #expect(standby.count == 1)
    #expect(standby[0].hasPrefix("warn failover: fade is not synchronized to standbys: after a failover"))
    #expect(standby[0].contains("| ALTER_REPLICATION_SLOT \"fade\" (FAILOVER 'true');"))
    func alone(_ wished: Bool?) -> [String] {
      lines {
        $0.slot?.failover = false
        $0.wished = wished
        $0.physical = []
        $0.standbys = 0
      }
    }
    #expect(alone(nil) == [])
    #expect(alone(true).count == 1)
  }
}
