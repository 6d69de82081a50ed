import ChangeLog
import LocalCluster
import PGOutput
import Postgres

/// Why a fixture gave up waiting.
struct NeverHappened: Error, CustomStringConvertible {
  var what: String
  var output: String
  var description: String { "\(what) did not happen; crossfade's last lines:\n\(output)" }
}

extension LedgerFixture {
  /// Waits until somebody reads the slot and the target has its first checkpoint: capture has begun then, and a
  /// backfill may.
  func awaitStream(_ process: CrossfadeProcess, within limit: Duration = .seconds(30)) throws {
    let session = try connect()
    let isActive = try eventually(within: limit) { () throws(PostgresError) -> Bool in
      if !process.isRunning { return true }
      guard try ReplicationSlot.find(slot, on: session)?.activePID != nil else { return false }
      return try session.query(
        "SELECT EXISTS (SELECT FROM crossfade.checkpoint WHERE slot = $1)", [.text(slot)], purpose: "ask"
      ).boolean(0, 0)
    }
    guard isActive, process.isRunning else {
      throw NeverHappened(what: "reading slot \(slot)", output: process.outputTail)
    }
  }

  /// Inserts a row with its audit entry, and waits until its state is there: changes are applied in the order of
  /// commits, so all that committed before is applied too.
  @discardableResult
  func awaitCaughtUp(_ process: CrossfadeProcess, within limit: Duration = .seconds(120)) throws -> Int64 {
    let session = try connect()
    let inserted = try session.query(
      """
      WITH changed AS (
        INSERT INTO public.transactions (card_token, merchant_id, amount_cents, currency, status)
        VALUES ('sentinel', 0, 1, 'EUR', 'AUTH') RETURNING id, status)
      INSERT INTO public.ledger_audit (transaction_id, status, op, work)
      SELECT id, status, 'insert', 'sentinel/' || id FROM changed RETURNING transaction_id
      """, purpose: "insert a sentinel")
    guard let id = inserted.integer(0, 0) else {
      throw PostgresError.unexpected(purpose: "insert a sentinel", what: "no id")
    }
    try awaitRow(
      "SELECT state_id IS NOT NULL FROM public.transactions WHERE id = \(id)", process, within: limit)
    return id
  }

  /// Waits until a question's first cell is true.
  func awaitRow(_ question: String, _ process: CrossfadeProcess, within limit: Duration = .seconds(30)) throws
  {
    let session = try connect()
    let isSo = try eventually(within: limit) { () throws(PostgresError) -> Bool in
      try session.query(question, purpose: "ask").boolean(0, 0)
    }
    guard isSo else { throw NeverHappened(what: question, output: process.outputTail) }
  }

  /// Waits until the dual-write's session waits, its statements run, for a commit that is not sent.
  func awaitHangingTarget(_ process: CrossfadeProcess) throws {
    try awaitRow(
      "SELECT count(*) > 0 FROM pg_stat_activity WHERE application_name = 'crossfade dual-write \(slot)' "
        + "AND state <> 'idle' AND now() - state_change > interval '500 ms'", process)
  }

  /// Derives the rows that were there before.
  func backfill() throws {
    let run = try command("backfill", within: .seconds(120))
    guard run.status.isSuccess else { throw UnexpectedOutput(what: "backfill", run: run) }
  }
}
