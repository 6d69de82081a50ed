public import ChangeLog
public import PGOutput
public import Postgres

/// Why capture stops for good. Everything that may mend itself is retried instead.
public enum CaptureError: Error, Sendable {
  /// Going on would risk a gap, a double or somebody else's data.
  case refused(Refusal)
  /// The server reported an error that trying again will not mend.
  case postgres(PostgresError)
  /// The change log cannot be used.
  case log(ChangeLogError)
  /// The stream breaks pgoutput's rules.
  case protocolViolation(walStart: LSN, what: String)
}

/// A reason to refuse, with what was expected and found.
public enum Refusal: Error, Sendable, Equatable {
  /// The server is older than what is supported.
  case serverTooOld(version: String)
  /// `wal_level` is not `logical`.
  case walLevel(found: String)
  /// The log was written from another cluster.
  case otherSystem(log: UInt64, server: UInt64)
  /// The log was written from another database of this cluster.
  case otherDatabase(log: UInt32, server: UInt32)
  /// The server's timeline is behind the log's: an older copy.
  case timelineBehind(log: UInt32, server: UInt32)
  /// The server is a standby: nothing can be captured from it before it is promoted.
  case standby
  /// The server was never on the log's timeline, or cannot show that it was: another branch of the same cluster.
  case timelineForeign(log: UInt32, server: UInt32)
  /// The server left the log's timeline before the log's end: it never had what lies past that point.
  case timelineDiverged(log: UInt32, server: UInt32, left: LSN, held: LSN)
  /// The server was promoted, and the slot has not come along.
  case slotNotSynchronized(slot: String, timeline: UInt32, logEnd: LSN, canSynchronize: Bool)
  /// There is a log, but no slot.
  case slotMissing(slot: String, logEnd: LSN)
  /// There is a checkpoint in the target, but neither log nor slot.
  case slotMissingForCheckpoint(slot: String, checkpoint: LSN)
  /// The slot was confirmed past what the log holds: changes between are gone.
  case slotAhead(slot: String, confirmed: LSN, held: LSN)
  /// The slot was confirmed past the target's checkpoint and there is no log to fill the gap.
  case slotAheadOfCheckpoint(slot: String, confirmed: LSN, checkpoint: LSN)
  /// Somebody else reads the slot.
  case slotActive(slot: String, pid: Int32)
  /// The server has dropped WAL that the slot needed.
  case slotLost(slot: String, reason: String)
  /// The slot is physical, or belongs to another plugin or database.
  case slotUnusable(slot: String, what: String)
  /// A prepared transaction is committed whose changes are not in the log's spool; the server does not send them again.
  case preparedMissing(gid: String, xid: UInt32, commit: LSN)
  /// The publication is not there though capture has begun before.
  case publicationMissing(publication: String)
  /// The publication leaves out something capture needs.
  case publicationUnfit(publication: String, what: String)
  /// A published table without replica identity would make the application's updates fail.
  case replicaIdentity(table: String, what: String)
  /// A partition whose columns are not where the table's are, on a server that sends such rows wrongly.
  case partitionLayout(table: String, partition: String)
  /// A column's binary form cannot be read.
  case binaryUnreadable(table: String, column: String, type: String)
  /// A column whose text in the stream is not the one that the map is asked by; what is the matter, and the way out.
  case statusText(table: String, column: String, what: String, remedy: String)
  /// A generated column in the replica identity that the publication does not send, or that cannot be sent.
  case generatedIdentity(table: String, column: String, grant: String)
  /// The role lacks a privilege.
  case privilege(what: String, grant: String)
  /// A table or column is not there.
  case missingObject(what: String, hint: String)
  /// All slots or walsenders of the server are taken.
  case exhausted(what: String)
}
