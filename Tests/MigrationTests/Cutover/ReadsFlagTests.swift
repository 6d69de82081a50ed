import Derivation
import LocalCluster
import Postgres
import Testing

@testable import Migration

@Suite("The flag that readers ask", .timeLimit(.minutes(5))) struct ReadsFlagTests {
  private let interrupt: Interrupt

  init() throws { interrupt = try #require(Interrupt()) }

  private static let odd = [
    "", " ", "\n", "0", "4711", "[\"EUR\", \"7\"]", "é", "e\u{301}", "🏦", "'; DROP TABLE crossfade.reads; --",
    "\\",
    String(repeating: "x", count: 10_000),
  ]

  private func set(_ percent: Int, _ ledger: LedgerDatabase) throws {
    try ledger.run(ReadsFlag.statement(slot: ledger.definition.slot, percent: percent))
  }

  @Test("SQL and Swift give the same answer for every key, and a larger share only adds")
  func agreement() throws {
    let ledger = try LedgerDatabase("reads_agree")
    try ledger.expand(interrupt)
    let keys = Self.odd + (0..<5_000).map { "\($0 &* 7_919)" }
    let connection = try ledger.connect()
    var before: Set<String> = []
    for percent in [0, 1, 10, 37, 50, 99, 100] {
      try set(percent, ledger)
      let flag = try ReadsFlag.load(slot: ledger.definition.slot, on: connection)
      #expect(flag.percent == percent)
      let rows = try connection.query(
        "SELECT k, crossfade.reads_new($1, k) FROM json_array_elements_text($2::json) AS k",
        [.text(ledger.definition.slot), .text(JSONStrings.write(keys))], purpose: "ask")
      #expect(rows.rowCount == keys.count)
      var now: Set<String> = []
      for row in 0..<rows.rowCount {
        let key = try #require(rows[row, 0])
        #expect(flag.readsNew(key: key) == rows.boolean(row, 1), "\(key) at \(percent)")
        if rows.boolean(row, 1) { now.insert(key) }
      }
      // By bytes: é and e with an accent are one key to Swift's sets.
      #expect(before.isSubset(of: now), "at \(percent)")
      let share = Double(now.count) / Double(keys.count) * 100
      #expect(abs(share - Double(percent)) < 2, "\(share) at \(percent)")
      before = now
    }
  }

  @Test("without a key only all count; a slot that nobody knows reads the old column")
  func bounds() throws {
    let ledger = try LedgerDatabase("reads_bounds")
    try ledger.expand(interrupt)
    let slot = ledger.definition.slot
    func answers() throws -> [String] {
      try ledger.column(
        "SELECT unnest(ARRAY[crossfade.reads_new('\(slot)'), crossfade.reads_new('\(slot)', NULL), "
          + "crossfade.reads_new('nobody', '1'), crossfade.reads_new(NULL, '1')])")
    }
    #expect(try answers() == ["f", "f", "f", "f"])
    try set(99, ledger)
    #expect(try answers() == ["f", "f", "f", "f"])
    #expect(!ReadsFlag(slot: slot, percent: 99).readsNew())
    try set(100, ledger)
    #expect(try answers() == ["t", "t", "f", "f"])
    #expect(ReadsFlag(slot: slot, percent: 100).readsNew())
    #expect(try ReadsFlag.load(slot: "nobody", on: ledger.connect()) == ReadsFlag(slot: "nobody"))
  }

  @Test("a hash is what it was: the answers for keys must survive a new version")
  func pinned() {
    #expect((0..<10).map { ReadsFlag.place(of: "\($0)", slot: "ledger") } == Self.places)
  }

  private static let places = [38, 59, 83, 11, 55, 12, 71, 72, 39, 67]

  @Test("who may use the schema may ask, whatever their search path, also in parallel; and sees no table")
  func rights() throws {
    let ledger = try LedgerDatabase("reads_rights")
    try ledger.expand(interrupt)
    try set(50, ledger)
    try ledger.run(
      """
      CREATE ROLE reads_app LOGIN; CREATE SCHEMA evil AUTHORIZATION reads_app; GRANT CREATE ON SCHEMA public TO reads_app;
      SET ROLE reads_app;
      CREATE FUNCTION evil.sha256(bytea) RETURNS bytea LANGUAGE sql AS 'SELECT NULL::bytea';
      CREATE FUNCTION evil.get_byte(bytea, integer) RETURNS integer LANGUAGE sql AS 'SELECT 255';
      """)
    let slot = ledger.definition.slot
    let app = try Connection(
      ledger.cluster.conninfo(database: ledger.name, user: "reads_app"),
      options: .init(applicationName: "app"))
    let ask = "SELECT crossfade.reads_new('\(slot)', '7')"
    let refused = #expect(throws: PostgresError.self) { try app.query(ask, purpose: "ask") }
    #expect(refused?.sqlState == .insufficientPrivilege)
    try ledger.run("GRANT USAGE ON SCHEMA crossfade TO reads_app")
    let expected = ReadsFlag(slot: slot, percent: 50).readsNew(key: "7")
    try app.query("SET search_path = evil, pg_catalog", purpose: "prepare")
    #expect(try app.query(ask, purpose: "ask").boolean(0, 0) == expected)
    #expect(throws: PostgresError.self) { try app.query("SELECT * FROM crossfade.reads", purpose: "look") }
    let force =
      ledger.cluster.installation.majorVersion >= 16 ? "debug_parallel_query" : "force_parallel_mode"
    try app.query("SET \(force) = on", purpose: "prepare")
    #expect(try app.query(ask, purpose: "ask").boolean(0, 0) == expected)
  }
}
