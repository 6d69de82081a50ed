import Testing

@testable import Derivation

@Suite("The backfill's settings") struct BackfillSettingsTests {
  @Test("signals are limits in their units, mappings or off; what is not named stays as it is")
  func signals() throws {
    let yaml = definition(
      adding: """
        backfill:
          target: 1s
          wal: 1MiB
          lock_timeout: 50ms
          triggers: fire
          windows: ["Mon-Fri 22:00-05:00 Europe/Berlin", "Sat,Sun 00:00-24:00"]
          signals:
            replica_lag: {limit: 3s, on_unknown: ignore}
            slot_room: off
            wal_rate: 50MiB
            dead_rows: 20%
            vacuums: 1
            flag_file: /tmp/hold
            queries:
              - {name: queue, sql: SELECT count(*) FROM jobs, limit: 1000}
              - {name: freeze, sql: SELECT frozen FROM calendar, on_unknown: ignore}
        """)
    let backfill = try SlotDefinition.parse(yaml: yaml, file: "slot.yaml", environment: [:]).backfill
    #expect(backfill.target == .seconds(1) && backfill.wal == .mebibytes(1))
    #expect(backfill.lockTimeout == Milliseconds(50) && backfill.triggers == .fire)
    #expect(
      backfill.windows.map(\.description) == [
        "Mon,Tue,Wed,Thu,Fri 22:00-05:00 Europe/Berlin", "Sat,Sun 00:00-24:00 UTC",
      ])
    #expect(
      backfill.signals.limits == [
        .replicaLag: .init(3000, onUnknown: .ignore), .walRate: .init(Double(50 << 20)), .deadRows: .init(20),
        .vacuums: .init(1),
      ])
    #expect(backfill.signals.flagFile == "/tmp/hold")
    #expect(
      backfill.signals.queries == [
        .init(name: "queue", sql: "SELECT count(*) FROM jobs", limit: .init(1000)),
        .init(name: "freeze", sql: "SELECT frozen FROM calendar", limit: .init(1, onUnknown: .ignore)),
      ])
  }

  @Test("each fault is told with its place, its field and its remedy")
  func wrong() {
    #expect(
      faults(
        definition(
          adding: """
            backfill:
              windows: [always]
              triggers: off
              signals:
                replica_lag: 5
                dead_rows: 20
                wal_rate: 50MB
                replica_lags: 5s
                vacuums: {on_unknown: stop}
                queries:
                  - {name: queue}
            """)) == """
          slot.yaml:18:13: backfill.windows[0]: is `always`, must be a window
            hint: write days, hours and a time zone: `"Mon-Fri 22:00-05:00 Europe/Berlin"`
          slot.yaml:19:13: backfill.triggers: is `off`, must be one of `leave-alone`, `fire`
            hint: write one of these words
          slot.yaml:21:18: backfill.signals.replica_lag: is `5`, must be a duration from 1ms to 168h
            hint: write digits and one of ms, s, m, h: `500ms`, `2s`
          slot.yaml:22:16: backfill.signals.dead_rows: is `20`, must be 1% to 100%
            hint: write digits and the sign: `20%`
          slot.yaml:23:15: backfill.signals.wal_rate: is `50MB`, must be a size from 1B to 1048576GiB
            hint: did you mean `50MiB`? Sizes are powers of 1024
          slot.yaml:24:5: backfill.signals.replica_lags: there is no such key
            hint: did you mean `replica_lag`?
          slot.yaml:25:5: backfill.signals.vacuums.limit: is missing
            hint: write `limit:` with its value
          slot.yaml:27:9: backfill.signals.queries[0].sql: is missing
            hint: write `{name: queue, sql: SELECT count(*) FROM jobs, limit: 1000}`
          """)
  }
}

@Suite("Maintenance windows") struct MaintenanceWindowTests {
  @Test(
    "a window is open from its first minute to before its last, past midnight too, on the days it begins on",
    arguments: [
      ("22:00-05:00", 3, 22 * 60, true), ("22:00-05:00", 3, 299, true), ("22:00-05:00", 3, 300, false),
      ("Mon-Fri 22:00-05:00", 6, 299, true), ("Mon-Fri 22:00-05:00", 6, 1320, false),
      ("Mon-Fri 22:00-05:00", 1, 299, false), ("Fri-Mon 08:00-09:00", 7, 480, true),
      ("Fri-Mon 08:00-09:00", 2, 480, false), ("Sun 23:00-01:00", 1, 59, true),
      ("Sun 23:00-01:00", 1, 60, false),
      ("00:00-24:00", 5, 1439, true),
    ])
  func open(text: String, day: Int, minute: Int, isOpen: Bool) throws {
    #expect(try #require(MaintenanceWindow(text)).isOpen(day: day, minute: minute) == isOpen)
  }

  @Test("the day on which it opens next is never one that has begun")
  func opens() throws {
    let window = try #require(MaintenanceWindow("Mon,Wed 22:00-05:00"))
    #expect(window.opens(afterDay: 1, minute: 600) == 1)
    #expect(window.opens(afterDay: 1, minute: 1380) == 3)
    #expect(window.opens(afterDay: 4, minute: 0) == 1)
  }

  @Test(
    "every minute of the week is either open, or followed by an opening",
    arguments: ["Tue 03:00-04:00", "Sun 23:59-00:01"])
  func week(text: String) throws {
    let window = try #require(MaintenanceWindow(text))
    var open = 0
    for day in 1...7 {
      for minute in 0..<1440 {
        if window.isOpen(day: day, minute: minute) {
          open += 1
        } else {
          #expect(window.opens(afterDay: day, minute: minute) != nil)
        }
      }
    }
    #expect(open == (text.hasPrefix("Tue") ? 60 : 2))
  }

  @Test(
    "what is no window is none",
    arguments: [
      "", "22:00", "25:00-26:00", "22:00-22:00", "Foo 22:00-23:00", "Mon- 22:00-23:00", "1:00-2:00",
      "22:60-23:00", "24:00-05:00", "Mon 22:00-23:00 UTC more", "Mon-Tue-Wed 22:00-23:00",
      "22:00-05:00-06:00",
    ])
  func none(text: String) { #expect(MaintenanceWindow(text) == nil) }
}
