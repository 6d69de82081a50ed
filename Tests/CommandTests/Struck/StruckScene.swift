import Derivation
import Foundation
import LocalCluster
import Logging
import Migration
import Postgres
import Synchronization
import Testing

/// A migration beside a real `crossfade run` and writers that keep a mirror. Its commands run in this process, so that they
/// notice what strikes them; on a server of its own, which may be restarted.
struct StruckScene {
  /// What changes the migration.
  enum Command: String, Sendable {
    case cutover
    case forwardOnly
    case contract
    case drop
    case rollback

    /// As its sessions are named.
    var session: String {
      switch self {
      case .cutover, .forwardOnly: "cutover"
      case .contract, .drop: "contract"
      case .rollback: "rollback"
      }
    }
  }

  /// What the ledger's table is like. Its status is required, and has no default.
  enum Table: String, CaseIterable, Sendable {
    case plain
    /// By ranges, one of them by hashes.
    case partitioned
    /// The status is an enum.
    case enumerated

    fileprivate var schema: String? {
      guard self == .partitioned else { return nil }
      return """
        CREATE TABLE public.transactions (
          id bigint PRIMARY KEY, card_token text NOT NULL, merchant_id integer NOT NULL, amount_cents bigint NOT NULL,
          currency char(3) NOT NULL, status text) PARTITION BY RANGE (id);
        CREATE TABLE public.low PARTITION OF public.transactions FOR VALUES FROM (MINVALUE) TO (150);
        CREATE TABLE public.high PARTITION OF public.transactions FOR VALUES FROM (150) TO (MAXVALUE) PARTITION BY HASH (id);
        CREATE TABLE public.high_0 PARTITION OF public.high FOR VALUES WITH (MODULUS 2, REMAINDER 0);
        CREATE TABLE public.high_1 PARTITION OF public.high FOR VALUES WITH (MODULUS 2, REMAINDER 1);
        INSERT INTO public.transactions
        SELECT n, 'c', 1, 1, 'EUR', (ARRAY[\(Self.texts)])[1 + n % 8] FROM generate_series(1, \(rows)) AS n
        """
    }

    fileprivate var change: String {
      guard self == .enumerated else {
        return "ALTER TABLE transactions ALTER status DROP DEFAULT, ALTER status SET NOT NULL"
      }
      return """
        CREATE TYPE public.card_status AS ENUM (\(Self.texts));
        ALTER TABLE transactions ALTER status DROP DEFAULT, ALTER status SET NOT NULL,
          ALTER status TYPE public.card_status USING status::public.card_status
        """
    }

    private static var texts: String { CutoverTraffic.texts.map(SQLText.literal).joined(separator: ", ") }

    /// The type of the old column.
    var type: String { self == .enumerated ? "card_status" : "text" }
  }

  static let rows = 300
  let slot: LedgerSlot
  let traffic: CutoverTraffic
  let definition: SlotDefinition
  private let interrupt: Interrupt
  private let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

  /// Verified, with writers that do not know the new column or write both.
  init(_ name: String, _ table: Table = .plain) throws {
    interrupt = try #require(Interrupt())
    var configuration = ClusterConfiguration()
    configuration.isDurable = false
    slot = try LedgerSlot(
      name, rows: Self.rows, on: try Cluster.running(configuration),
      more: "migrate:\n  quiet: 0s\n  grace: 0s\nbackfill:\n  batch: 100\n",
      schema: table.schema)
    try slot.sql(table.change)
    definition = try SlotDefinition.parse(
      yaml: try String(contentsOfFile: slot.path, encoding: .utf8), file: slot.path,
      environment: slot.environment.compactMapValues { $0 })
    try Self.done(slot, ["expand"])
    try slot.start()
    traffic = try CutoverTraffic(slot, rows: Self.rows, outlivesServer: true)
    #expect(traffic.allow([.old, .mixed, .read]))
    for command in ["backfill", "constrain", "verify"] { try Self.done(slot, [command]) }
  }

  static func done(_ slot: LedgerSlot, _ command: [String]) throws {
    let run = try slot.crossfade(command[0], more: Array(command.dropFirst()))
    try #require(run.status == .exited(0), "\(command): \(run.output)")
  }

  /// Carries a command out; whether it came to its end.
  func run(
    _ command: Command, report: @escaping @Sendable (StepNews) -> Void = { _ in }
  ) throws(MigrationError) -> Bool {
    switch command {
    case .cutover:
      let result = try Cutover(definition: definition, interrupt: interrupt, logger: logger)
        .run(confirm: { _ in true }, report: report)
      return Self.isDone(result.result, result.plan)
    case .forwardOnly:
      var options = CutoverOptions()
      options.quiet = 1
      let result = try Cutover(
        definition: definition, options: options, interrupt: interrupt, logger: logger
      ).forwardOnly(confirm: { _ in true }, report: report)
      return Self.isDone(result.result, result.plan)
    case .contract, .drop:
      let result = try Contract(
        definition: definition, goal: command == .drop ? .dropped : .retired, interrupt: interrupt,
        logger: logger
      ).run(confirm: { _ in true }, report: report)
      if result.outcomes == nil { Issue.record("\(result.plan.obstacles.map(\.found))") }
      return result.outcomes != nil
    case .rollback:
      return try Rollback(definition: definition, interrupt: interrupt, logger: logger)
        .run(confirm: { _ in true }, report: report).outcomes != nil
    }
  }

  private static func isDone(_ result: CutoverResult, _ plan: CutoverPlan) -> Bool {
    switch result {
    case .done, .nothing: return true
    case .refused:
      Issue.record("\(plan.closed.map { "\($0.name): \($0.value)" })")
      return false
    case .unconfirmed: return false
    }
  }

  /// Carries a command out to its end.
  func finish(_ command: Command, _ note: String = "") throws {
    do {
      #expect(try run(command), "\(note), \(command)")
    } catch {
      Issue.record("\(note), \(command): \(error)")
      throw error
    }
  }

  /// Carries a command out until it is struck; whether it was.
  func run(_ command: Command, _ strike: Strike, _ blow: Blow) throws -> Bool {
    let struck = Once()
    let (cluster, name) = (slot.cluster, slot.name)
    _ = try? run(command) { news in
      guard strike.isNow(news), struck.isFirst() else { return }
      switch blow {
      case .terminate:
        _ = try? Connection(cluster.conninfo(database: name), options: .init(applicationName: "striker"))
          .query(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() "
              + "AND application_name LIKE 'crossfade \(command.session) \(name)%'", purpose: "strike")
      case .restart: try? cluster.restart(.immediate)
      }
    }
    if struck.isUp { try awaitRun() }
    return struck.isUp
  }

  /// Runs it with SIGKILL again and again, one step further each time, until it comes to its end.
  func killed(_ words: [String]) throws -> Int {
    for life in 0..<60 {
      var environment = slot.environment
      environment["CROSSFADE_FAIL_POINT"] =
        life.isMultiple(of: 2) ? "step-before-commit:2" : "step-after-commit:1"
      let run = try ChildProcess.run(
        [try CrossfadeBinary.path(), words[0], slot.path] + words.dropFirst(), environment: environment,
        within: .seconds(60))
      guard run.status != .signalled(SIGKILL) else { continue }
      try #require(run.status == .exited(0), "\(words): \(run.output)")
      return life
    }
    Issue.record("\(words) never came to its end")
    return 0
  }

  /// Waits until `run` is at work again.
  private func awaitRun() throws {
    let isThere = try slot.await(
      """
      SELECT EXISTS (SELECT FROM pg_locks JOIN pg_stat_activity AS a USING (pid)
                      WHERE locktype = 'advisory' AND granted AND a.application_name = 'crossfade dual-write \(slot.name)')
         AND EXISTS (SELECT FROM pg_replication_slots WHERE slot_name = '\(slot.name)' AND active)
      """, within: .seconds(60))
    try #require(isThere, "run did not come back")
  }

  /// Waits until a few more writes of each kind are done, so that each state of the migration sees some.
  func some(_ kinds: [CutoverTraffic.Kind], _ count: Int = 20) {
    let before = kinds.map { traffic.count($0) }
    #expect(
      eventually(within: .seconds(60)) { zip(kinds, before).allSatisfy { traffic.count($0) >= $1 + count } },
      "\(traffic.failed.prefix(3))")
  }

  /// Lets writers of the new column work, and those of the old one too unless it is to go.
  func allow(_ kinds: Set<CutoverTraffic.Kind>) { #expect(traffic.allow(kinds)) }

  /// What the application meant stands in every row, in the columns that there are.
  func expectTruth(_ note: String, isRetired: Bool = false, then kinds: Set<CutoverTraffic.Kind>) throws {
    #expect(traffic.failed == [], "\(note)")
    allow([])
    let list = CutoverTraffic.texts.map(SQLText.literal).joined(separator: ", ")
    let old = isRetired ? "" : " OR t.status::text IS DISTINCT FROM (ARRAY[\(list)])[m.state]"
    let differing =
      "FROM public.transactions AS t FULL JOIN public.truth AS m USING (id) WHERE t.state_id IS DISTINCT FROM m.state\(old)"
    let isRight = try slot.await("SELECT NOT EXISTS (SELECT \(differing))", within: .seconds(30))
    let shown = try slot.sql("SELECT string_agg(concat_ws(' ', id, t.state_id, m.state), '; ') \(differing)")
    #expect(isRight, "\(note): \(shown ?? "")")
    #expect(try slot.sql("SELECT count(*) FROM crossfade.quarantine") == "0", "\(note)")
    allow(kinds)
  }

  /// The old column's type.
  func type() throws -> String? {
    try slot.sql(
      """
      SELECT format_type(atttypid, atttypmod) FROM pg_attribute
       WHERE attrelid = 'transactions'::regclass AND attname = 'status' AND NOT attisdropped
      """)
  }

  /// The columns, whether they are required, what of ours is beside them, the identity, and the phase.
  func standing() throws -> String {
    try slot.sql(
      """
      SELECT concat_ws(' ',
        (SELECT string_agg(attname || CASE WHEN attnotnull THEN '!' ELSE '' END, ' ' ORDER BY attname) FROM pg_attribute
          WHERE attrelid = 'transactions'::regclass AND attname ~ '^(status|state_id)' AND NOT attisdropped),
        (SELECT string_agg(conname, ' ') FROM pg_constraint WHERE conrelid = 'transactions'::regclass AND contype = 'c'),
        (SELECT string_agg(tgname, ' ') FROM pg_trigger WHERE tgrelid = 'transactions'::regclass AND tgname LIKE 'zz_crossfade%'),
        (SELECT string_agg(DISTINCT relreplident::text, '') FROM pg_class WHERE oid = 'transactions'::regclass
            OR oid IN (SELECT relid FROM pg_partition_tree('transactions'))),
        coalesce((SELECT standing || '/' || asked FROM crossfade.direction), 'forward/forward'), (SELECT phase FROM crossfade.migration))
      """) ?? ""
  }
}

/// Goes up once, and says to whom.
private final class Once: Sendable {
  private let value = Mutex(false)
  var isUp: Bool { value.withLock { $0 } }
  func isFirst() -> Bool {
    value.withLock { value in
      defer { value = true }
      return !value
    }
  }
}
