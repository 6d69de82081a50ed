import Derivation
import DualWrite
import PGOutput
import Testing

@testable import Migration
@testable import Postgres

@Suite("The gates of a cutover") struct GateTests {
  private static func definition() throws -> SlotDefinition {
    SlotDefinition(
      slot: "s", publication: try Identifier("s"), source: ConnectionString("dbname=ledger"),
      derive: try Fixture.derive(), log: .init(directory: "/nowhere"))
  }

  /// Everything in order.
  private static func open() throws -> GateFacts {
    let target = LSN(rawValue: 0x1000)
    return GateFacts(
      definition: try definition(), phase: .backfilled, since: "2026-11-21 10:00:00 UTC",
      direction: Direction(), runner: "crossfade dual-write s, server process 7",
      deriver: nil, role: "crossfade", unwritable: [],
      lag: .init(target: target, applied: target, took: 12, behind: 2048), patience: 10_000,
      verified: .told(.verified, through: target, age: 0.5), quarantined: 0, firstQuarantined: nil,
      mapFaults: [], mapRows: 2, coverage: CoverageFacts(statuses: ["AUTH", nil], extent: .whole),
      unmapped: [], texts: MapTextFacts(type: "text", tried: 2), index: .stands, foreignKey: .stands,
      invalidIndexes: [],
      slot: ReplicationSlot(name: "s", activePID: 9, walStatus: "reserved"), loneWrites: .init(),
      reach: ReachFacts(
        isFull: false, triggers: 0, foreignOwner: nil, foreignPublication: nil, listing: [], generated: nil),
      plan: "123456789abc", rehearsal: nil)
  }

  private static func lines(_ gates: [Gate]) -> [String] {
    gates.map {
      "\($0.passes ? "pass" : "fail") \($0.name): \($0.value) | \($0.threshold)"
        + ($0.mend.map { " | \($0)" } ?? "")
    }
  }

  @Test("in order, each says what was found and what is asked")
  func order() throws {
    #expect(
      Self.lines(try Self.open().gates) == [
        "pass phase: backfilled, since 2026-11-21 10:00:00 UTC | backfilled or later, and not contracted",
        "pass run: crossfade dual-write s, server process 7 | at work",
        "pass backfill: none at work | no backfill, no replay --apply, no quarantine retry at work",
        "pass privileges: crossfade may update status and state_id | UPDATE on both columns",
        "pass lag: 2.0 KiB behind, applied 12 ms later | everything up to 0/1000 within 10 s",
        "pass verification: every row is verified as of 0/1000 | every row right as of 0/1000",
        "pass quarantine: empty | empty",
        "pass map: 2 states, each status there and back | ids and statuses unique, as the definition lists them",
        "pass statuses: all 2 are | each status of public.transactions is in the map",
        "pass map texts: status text can hold all 2 texts of the map | status can hold each",
        "pass index: public.transactions(state_id), valid | valid",
        "pass foreign key: state_id to public.transaction_state, valid | valid",
        "pass leftovers: none | no INVALID index on state_id",
        "pass slot: wal_status reserved, read by server process 9 | read by somebody, its WAL kept",
        "pass lone writes: none of state_id alone in the last 1h | none in 1h",
        "pass both ways: step cutover.identity sees to it; the change log holds whole rows then | whole old rows in the stream, or the bridge",
        "pass rehearsal: none of plan 123456789abc has passed; not required | none (migrate.rehearsed: optional)",
      ])
  }

  /// What is wrong, and the one gate that says so.
  private static let faults: [(name: String, change: @Sendable (inout GateFacts) -> Void, says: String)] = [
    (
      "phase", { $0.phase = .expanded },
      "expanded, since 2026-11-21 10:00:00 UTC"
    ),
    ("phase", { $0.phase = .contracted }, "contracted, since 2026-11-21 10:00:00 UTC"),
    ("phase", { $0.phase = nil }, "not recorded"),
    ("run", { $0.runner = nil }, "nobody holds the dual-write's lock"),
    (
      "backfill", { $0.deriver = "crossfade backfill s, server process 8" },
      "crossfade backfill s, server process 8"
    ),
    (
      "privileges", { $0.unwritable = [$0.definition.derive.from] }, "crossfade may not update status"
    ),
    (
      "privileges", { $0.seesVersions = false }, "crossfade may not read xmin and tableoid of the rows"
    ),
    (
      "lag",
      {
        $0.lag = .init(target: LSN(rawValue: 0x1000), applied: LSN(rawValue: 0x800), took: nil, behind: 0x800)
      },
      "applied up to 0/800, 2.0 KiB short"
    ),
    ("verification", { $0.verified = .never }, "no pass has come to its end"),
    (
      "verification", { $0.verified = .failed(why: "the map is another", hint: nil) }, "the map is another"
    ),
    (
      "verification", { $0.verified = .told(.differences(3), through: LSN(rawValue: 0x900), age: nil) },
      "3 rows are wrong"
    ),
    (
      "verification",
      {
        $0.verified = .told(.behind(through: LSN(rawValue: 0x900)), through: LSN(rawValue: 0x900), age: nil)
      },
      "what was touched after 0/900 has not been looked at again"
    ),
    (
      "quarantine",
      {
        $0.quarantined = 2
        $0.firstQuarantined = "[\"7\"] 'auth'"
      }, "2 rows, the first [\"7\"] 'auth'"
    ),
    (
      "row filter", { $0.filters.isOwn = true },
      "publication s filters the rows of public.transactions"
    ),
    ("map", { $0.mapFaults = ["id 1 stands twice", "another"] }, "id 1 stands twice, and 1 more"),
    ("map", { $0.mapRows = 0 }, "0 states, each status there and back"),
    ("statuses", { $0.unmapped = ["'auth' is not in the map"] }, "'auth' is not in the map"),
    (
      "statuses", { $0.coverage = CoverageFacts(statuses: [], extent: .tooMany(1000)) },
      "more than 1000 distinct values"
    ),
    ("statuses", { $0.coverage = nil }, "not looked at: the map could not be read"),
    ("map texts", { $0.texts = nil }, "not looked at: the map or status could not be read"),
    (
      "map texts",
      { facts in
        facts.texts?.misfits = [
          .init(state: "partly (9)", text: nil, reason: .required(.bridge)),
          .init(state: "long (5)", text: "LONGER", reason: .cut),
        ]
      },
      "state partly (9): its text NULL cannot be written to status, which is NOT NULL, and stays so with migrate.bridge, "
        + "and 1 more (`crossfade check SLOT`)"
    ),
    ("index", { $0.index = .missing }, "none on public.transactions(state_id) that is valid"),
    (
      "foreign key", { $0.foreignKey = .missing },
      "none on state_id to public.transaction_state that is valid"
    ),
    ("leftovers", { $0.invalidIndexes = ["x_ccnew"] }, "x_ccnew"),
    ("slot", { $0.slot = nil }, "s does not exist"),
    ("slot", { $0.slot?.walStatus = "unreserved" }, "wal_status unreserved, read by server process 9"),
    ("slot", { $0.slot?.activePID = nil }, "wal_status reserved, read by nobody"),
    (
      "lone writes", { $0.loneWrites = .init(key: "[\"7\"]", age: 3_599) },
      "state_id was written alone, last of row [\"7\"]"
    ),
    (
      "both ways", { $0.reach.foreignOwner = "ledger" },
      "public.transactions belongs to ledger, and REPLICA IDENTITY FULL is the owner's to set"
    ),
    (
      "both ways", { $0.reach.listing = ["analytics"] },
      "publication analytics lists columns of public.transactions: with REPLICA IDENTITY FULL the application's updates would fail"
    ),
    (
      "both ways", { $0.reach.generated = "total" },
      "generated column total is not published: with REPLICA IDENTITY FULL the application's updates would fail"
    ),
    (
      "both ways", { $0.definition.migrate.bridge = .trigger },
      "the bridge's triggers do not all stand and fire"
    ),
    (
      "rehearsal", { $0.definition.migrate.rehearsed = .required }, "none of plan 123456789abc has passed"
    ),
  ]

  @Test("each closes by itself, says why and how to mend it", arguments: faults.indices)
  func closes(_ index: Int) throws {
    let fault = Self.faults[index]
    let closed = try changed(Self.open(), fault.change).gates.filter { !$0.passes }
    #expect(closed.map(\.name) == [fault.name])
    #expect(closed.map(\.value) == [fault.says])
    #expect(closed.allSatisfy { $0.mend?.isEmpty == false })
  }

  @Test("what a setting does not ask for is open, and in both directions lone writes are what it is for")
  func spared() throws {
    let spared = try changed(Self.open()) {
      $0.index = .notAskedFor
      $0.foreignKey = .notAskedFor
      $0.direction.standing = .both
      $0.deriver = "crossfade quarantine s, server process 8"
      $0.loneWrites = .init(key: nil, age: 1)
      $0.reach.isFull = true
      $0.reach.foreignOwner = "ledger"
      $0.coverage = CoverageFacts(statuses: [], extent: .statistics(afterMilliseconds: 5_000))
    }
    #expect(spared.gates.filter { !$0.passes } == [])
    #expect(spared.backGates(quiet: 60).filter { !$0.passes }.map(\.name) == ["lone writes"])
    #expect(spared.backGates(quiet: 1).filter { !$0.passes } == [])
  }
}
