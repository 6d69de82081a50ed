import Derivation
import LocalCluster
import Postgres
import Testing

@testable import Migration

/// A ledger that is cut over: a thousand rows, both columns in step, verified, nobody writes the old way any more.
struct ContractScene {
  var ledger: LedgerDatabase
  let interrupt: Interrupt
  let runner: StandInDualWrite

  /// Beside a bridge `contract` needs the logical messages of 14: without them nobody tells who still writes the old way.
  static let contractsBesideBridge = ((try? PostgresInstallation.find())?.majorVersion ?? 0) >= 14
  static let bridges = contractsBesideBridge ? [false, true] : [false]
  static let wantsMessages: Comment = "contract beside a bridge needs logical messages (PostgreSQL 14)"

  init(
    _ name: String, _ interrupt: Interrupt, rows: Int = 1_000, bridge: Bool = false,
    isPartitioned: Bool = false,
    table: String = "id bigint PRIMARY KEY", on cluster: Cluster? = nil
  ) throws {
    ledger = try LedgerDatabase(name, table: table, isPartitioned: isPartitioned, on: cluster)
    self.interrupt = interrupt
    ledger.definition.migrate.quiet = .seconds(60)
    ledger.definition.migrate.bridge = bridge ? .trigger : .none
    try ledger.run(
      "INSERT INTO public.transactions SELECT i, CASE i % 2 WHEN 0 THEN 'AUTH' ELSE 'CAPTURED' END FROM generate_series(1, \(rows)) AS i"
    )
    try ledger.expand(interrupt)
    try ledger.run(
      "UPDATE public.transactions SET state_id = m.id FROM public.transaction_state AS m WHERE m.legacy_status = status"
    )
    try ledger.backfilled()
    let tables =
      ["public.transactions"] + (isPartitioned ? ["public.low", "public.high", "public.highest"] : [])
    for table in tables { try ledger.run("ALTER TABLE \(table) REPLICA IDENTITY FULL") }
    try ledger.constrain(interrupt)
    let slot = ledger.definition.slot
    try ledger.run(
      """
      INSERT INTO crossfade.direction (slot, asked, standing, since, since_lsn)
      VALUES ('\(slot)', 'both', 'both', now() - interval '1 hour', '0/10');
      UPDATE crossfade.migration SET phase = 'cut over', since = now() - interval '1 hour' WHERE slot = '\(slot)';
      INSERT INTO crossfade.checkpoint (slot, end_lsn, system_identifier, timeline, database_oid, creation_point)
      VALUES ('\(slot)', '0/20', 1, 1, 1, '0/20');
      """)
    _ = try ledger.verify(interrupt).run()
    runner = try StandInDualWrite(ledger)
  }

  func contract(_ goal: Contract.Goal = .retired, source: SeenThrough.Source = .all) -> Contract {
    var contract = Contract(
      definition: ledger.definition, goal: goal, interrupt: interrupt, logger: LedgerDatabase.logger)
    contract.source = source
    contract.patience = 10_000
    return contract
  }

  /// What it did, step by step; nil where it was not allowed.
  @discardableResult
  func retire(
    _ goal: Contract.Goal = .retired, report: @escaping @Sendable (StepNews) -> Void = { _ in }
  ) throws(MigrationError) -> [String]? {
    try contract(goal).run(confirm: { _ in true }, report: report).outcomes?
      .filter { $0.ending == .done }.map(\.step.id)
  }

  /// What is in the way.
  func obstacles(_ source: SeenThrough.Source = .all, _ goal: Contract.Goal = .retired) throws -> [String] {
    try contract(goal, source: source).run(confirm: { _ in false }, report: { _ in }).plan.obstacles
      .map { "\($0.name.rawValue): \($0.found)" }
  }

  /// A change of a kind, as the dual-write counts it.
  func count(_ kind: LegacyAccount.Kind, ago: String, application: String = "", count: Int = 1) throws {
    try ledger.run(
      """
      INSERT INTO crossfade.legacy (slot, day, kind, application, count, last_position, last_at, last_keys)
      VALUES ('\(ledger.definition.slot)', current_date, '\(kind.rawValue)', '\(application)', \(count), '0/30',
              now() - interval '\(ago)', '["17", "18"]')
      """)
  }

  func phase() throws -> String { try ledger.column("SELECT phase FROM crossfade.migration")[0] }

  /// `name type notnull` of the columns that matter.
  func columns() throws -> [String] {
    try ledger.column(
      """
      SELECT attname || CASE WHEN attnotnull THEN ' NOT NULL' ELSE '' END FROM pg_attribute
       WHERE attrelid = 'public.transactions'::regclass AND attnum > 0 AND NOT attisdropped AND attname <> 'id' ORDER BY attname
      """)
  }

  /// What of ours stands beside the columns.
  func remains() throws -> [String] {
    try ledger.column(
      """
      SELECT tgname::text FROM pg_trigger WHERE tgrelid = 'public.transactions'::regclass AND tgname LIKE 'zz_crossfade%'
      UNION ALL SELECT conname::text FROM pg_constraint WHERE conrelid = 'public.transactions'::regclass AND contype = 'c'
      UNION ALL SELECT proname::text FROM pg_proc WHERE pronamespace = 'crossfade'::regnamespace
                       AND proname ~ '^(guard|keep|bridge)_' ORDER BY 1
      """)
  }

  /// Rows in which the columns are not in step.
  func differences() throws -> [String] {
    try ledger.column(
      """
      SELECT t.id FROM public.transactions AS t LEFT JOIN public.transaction_state AS m ON m.id = t.state_id
       WHERE t.status IS DISTINCT FROM m.legacy_status OR m.id IS NULL ORDER BY 1 LIMIT 10
      """)
  }
}
