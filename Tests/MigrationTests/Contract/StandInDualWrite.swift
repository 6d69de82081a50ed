import Derivation
import LocalCluster
import Postgres
import Synchronization

/// Takes up what is asked of a slot's direction, as the dual-write would: a session with its lock, on a thread of its own. It
/// derives nothing.
final class StandInDualWrite: Sendable {
  private let worker: Worker<Void>

  init(_ ledger: LedgerDatabase) throws {
    let (connection, slot) = (
      try ledger.connect("crossfade dual-write \(ledger.definition.slot)"), ledger.definition.slot
    )
    try connection.query(
      "SELECT pg_advisory_lock(hashtext('crossfade'), hashtext($1))", [.text(slot)], purpose: "take the lock")
    let box = Handed(connection)
    let flag = Flag()
    stop = flag
    worker = Worker {
      while !flag.isUp {
        _ = try? box.connection.query(
          """
          UPDATE crossfade.direction SET standing = asked, since = clock_timestamp(), since_lsn = pg_current_wal_insert_lsn()
           WHERE slot = $1 AND standing <> asked
          """, [.text(slot)], purpose: "take it up")
        _ = try? box.connection.query("SELECT pg_sleep(0.02)", purpose: "rest")
      }
    }
  }

  private let stop: Flag

  /// Ends it, and waits until its session is gone.
  func end() async {
    stop.raise()
    await worker.value
  }

  deinit { stop.raise() }
}

/// Goes up once.
final class Flag: Sendable {
  private let value = Mutex(false)
  var isUp: Bool { value.withLock { $0 } }
  func raise() { value.withLock { $0 = true } }
}
