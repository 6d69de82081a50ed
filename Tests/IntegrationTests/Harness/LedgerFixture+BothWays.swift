import LocalCluster
import Postgres
import Testing

extension LedgerFixture {
  /// Expands, backfills, makes the mirror, and turns the direction to `both`; the process runs on.
  func startBothWays(
    identity: String = LedgerFixture.fullIdentity, statusType: String = "text"
  ) throws -> CrossfadeProcess {
    let process = try expandAndStart()
    try goBothWays(process, identity: identity, statusType: statusType)
    return process
  }

  static let fullIdentity = "ALTER TABLE public.transactions REPLICA IDENTITY FULL"

  /// The same beside a process that runs. The publication comes first: with a list of columns the identity would make every update
  /// of the application fail.
  func goBothWays(
    _ process: CrossfadeProcess, identity: String = LedgerFixture.fullIdentity, statusType: String = "text"
  ) throws {
    try backfill()
    try connect().script(
      "ALTER PUBLICATION \(slot) SET TABLE public.transactions; \(identity); \(BothWriters.schema(statusType))",
      purpose: "make the mirror")
    try turn(to: "both", process)
  }

  /// Asks for a direction as `cutover` and `contract` do, and waits until it is taken up.
  func turn(to direction: String, _ process: CrossfadeProcess) throws {
    try connect().query(
      """
      INSERT INTO crossfade.direction AS d (slot, asked) VALUES ($1, $2)
      ON CONFLICT (slot) DO UPDATE SET asked = EXCLUDED.asked, asked_lsn = pg_current_wal_insert_lsn()
      """, [.text(slot), .text(direction)], purpose: "ask for a direction")
    try awaitRow(
      "SELECT standing = '\(direction)' AND standing = asked FROM crossfade.direction WHERE slot = '\(slot)'",
      process)
  }

  /// Row changes that the dual-write counted.
  func counted(_ kinds: String = "old,new,both,other,conflict") throws -> Int {
    let rows = try connect().query(
      "SELECT coalesce(sum(count), 0) FROM crossfade.legacy WHERE slot = $1 AND kind = ANY (string_to_array($2, ','))",
      [.text(slot), .text(kinds)], purpose: "count")
    return Int(rows.integer(0, 0) ?? -1)
  }

  /// Waits until both columns say what was meant, everywhere, and nothing is left to be done.
  func expectNoDifference(_ process: CrossfadeProcess) throws {
    let session = try connect()
    let isRight = try eventually(within: .seconds(60)) { () throws(PostgresError) -> Bool in
      try session.query(BothWriters.differences, purpose: "compare").integer(0, 0) == 0
    }
    if !isRight {
      let rows = try session.query(
        """
        SELECT id, t.status, t.state_id, m.meant, t.xmin FROM public.transactions AS t FULL JOIN public.mirror AS m USING (id)
         WHERE t.state_id IS DISTINCT FROM m.meant OR t.status IS DISTINCT FROM public.text_of(m.meant) LIMIT 5
        """, purpose: "show")
      let shown = (0..<rows.rowCount).map { row in
        (0..<5).map { rows[row, $0] ?? "NULL" }.joined(separator: " ")
      }
      Issue.record("rows differ from what was meant: \(shown)\n\(process.outputTail)")
    }
    let quarantined = try session.query(
      "SELECT count(*) FROM crossfade.quarantine", purpose: "count"
    ).integer(0, 0)
    #expect(quarantined == 0)
  }
}
