import PGOutput
import Testing

@testable import Capture

/// What an operator reads when capture refuses, whole.
@Suite("Refusals in words") struct RefusalTextTests {
  private static func at(_ value: UInt64) -> LSN { LSN(rawValue: value) }

  private static let cases: [(refusal: Refusal, text: String, hint: String)] = [
    (
      .serverTooOld(version: "12.4"),
      "the server is PostgreSQL 12.4; 13 and later are supported",
      "upgrade the server, or read from a newer one"
    ),
    (
      .walLevel(found: "replica"),
      "wal_level is replica; a logical slot needs wal_level = logical",
      "ALTER SYSTEM SET wal_level = logical; then restart the server"
    ),
    (
      .otherSystem(log: 1, server: 2),
      "the change log was written from system 1, this server is system 2",
      """
      point source.connection at the server the log belongs to, or give this slot definition a log \
      directory of its own
      """
    ),
    (
      .otherDatabase(log: 1, server: 2),
      "the change log was written from database oid 1, this is database oid 2",
      """
      point source.connection at the server the log belongs to, or give this slot definition a log \
      directory of its own
      """
    ),
    (
      .timelineBehind(log: 2, server: 1),
      "the change log was written on timeline 2, this server is on timeline 1: an older copy",
      """
      point source.connection at the server the log belongs to, or give this slot definition a log \
      directory of its own
      """
    ),
    (
      .standby,
      "this server is a standby: its slots cannot be read before it is promoted",
      "point source.connection at the primary: name all servers, as in host=a,b, with target_session_attrs=read-write"
    ),
    (
      .timelineForeign(log: 2, server: 4),
      """
      the change log was written on timeline 2, which is not in the history of this server's timeline 4: another \
      branch of the same cluster
      """,
      """
      nothing was changed. To go on with a declared gap: `crossfade reset SLOT --accept-gap` \
      (keeps the old log aside, forgets the checkpoint), then `crossfade run`, then `crossfade \
      backfill` and `crossfade verify` (after a cutover `reset` says what comes before them)
      """
    ),
    (
      .timelineDiverged(log: 1, server: 2, left: at(16), held: at(32)),
      """
      this server was promoted to timeline 2 and left timeline 1 at 0/10, but the change log holds everything up to \
      0/20: what lies between was lost with the old primary
      """,
      """
      nothing was changed. To go on with a declared gap: `crossfade reset SLOT --accept-gap` \
      (keeps the old log aside, forgets the checkpoint), then `crossfade run`, then `crossfade \
      backfill` and `crossfade verify` (after a cutover `reset` says what comes before them). What readers of the log got past that point never happened. To prevent it: \
      failover slots and synchronized_standby_slots (PostgreSQL 17 and later)
      """
    ),
    (
      .slotNotSynchronized(slot: "s", timeline: 2, logEnd: at(16), canSynchronize: true),
      """
      this server was promoted to timeline 2, and replication slot s was not on it: what was committed after the \
      change log's end at 0/10 may be lost
      """,
      """
      nothing was changed. To go on with a declared gap: `crossfade reset SLOT --accept-gap` \
      (keeps the old log aside, forgets the checkpoint), then `crossfade run`, then `crossfade \
      backfill` and `crossfade verify` (after a cutover `reset` says what comes before them). For the next time: slots made with failover (the default), and on each standby sync_replication_slots, \
      hot_standby_feedback and primary_slot_name; `crossfade check` looks at it
      """
    ),
    (
      .slotNotSynchronized(slot: "s", timeline: 2, logEnd: at(16), canSynchronize: false),
      """
      this server was promoted to timeline 2, and replication slot s was not on it: what was committed after the \
      change log's end at 0/10 may be lost
      """,
      """
      nothing was changed. To go on with a declared gap: `crossfade reset SLOT --accept-gap` \
      (keeps the old log aside, forgets the checkpoint), then `crossfade run`, then `crossfade \
      backfill` and `crossfade verify` (after a cutover `reset` says what comes before them). PostgreSQL synchronizes slots to standbys from 17 on
      """
    ),
    (
      .slotMissing(slot: "s", logEnd: at(16)),
      """
      replication slot s does not exist, but the change log ends at 0/10: what was committed since \
      may be lost
      """,
      """
      nothing was changed. To go on with a declared gap: `crossfade reset SLOT --accept-gap` \
      (keeps the old log aside, forgets the checkpoint), then `crossfade run`, then `crossfade \
      backfill` and `crossfade verify` (after a cutover `reset` says what comes before them)
      """
    ),
    (
      .slotMissingForCheckpoint(slot: "s", checkpoint: at(16)),
      """
      replication slot s and the change log are both missing, but the target holds a checkpoint at \
      0/10: what was committed since may be lost
      """,
      """
      nothing was changed. To go on with a declared gap: `crossfade reset SLOT --accept-gap` \
      (keeps the old log aside, forgets the checkpoint), then `crossfade run`, then `crossfade \
      backfill` and `crossfade verify` (after a cutover `reset` says what comes before them)
      """
    ),
    (
      .slotAhead(slot: "s", confirmed: at(32), held: at(16)),
      """
      replication slot s was confirmed up to 0/20, the change log holds everything only up to \
      0/10: the changes between are not in it
      """,
      """
      nothing was changed. To go on with a declared gap: `crossfade reset SLOT --accept-gap` \
      (keeps the old log aside, forgets the checkpoint), then `crossfade run`, then `crossfade \
      backfill` and `crossfade verify` (after a cutover `reset` says what comes before them)
      """
    ),
    (
      .slotAheadOfCheckpoint(slot: "s", confirmed: at(32), checkpoint: at(16)),
      """
      replication slot s was confirmed up to 0/20, the target's checkpoint stands at 0/10, and \
      there is no change log that holds what lies between
      """,
      """
      nothing was changed. To go on with a declared gap: `crossfade reset SLOT --accept-gap` \
      (keeps the old log aside, forgets the checkpoint), then `crossfade run`, then `crossfade \
      backfill` and `crossfade verify` (after a cutover `reset` says what comes before them)
      """
    ),
    (
      .slotActive(slot: "s", pid: 42),
      "replication slot s is being read by server process 42",
      "stop the other consumer; SELECT * FROM pg_stat_activity WHERE pid = 42 shows which it is"
    ),
    (
      .slotLost(slot: "s", reason: "wal_removed"),
      "replication slot s is lost (wal_removed): the server has removed WAL it needed",
      """
      nothing was changed. To go on with a declared gap: `crossfade reset SLOT --accept-gap` \
      (keeps the old log aside, forgets the checkpoint), then `crossfade run`, then `crossfade \
      backfill` and `crossfade verify` (after a cutover `reset` says what comes before them)
      """
    ),
    (
      .slotUnusable(slot: "s", what: "it is a physical slot"),
      "replication slot s cannot be used: it is a physical slot",
      "name another slot in the slot definition, or drop this one if nobody needs it"
    ),
    (
      .publicationMissing(publication: "p"),
      "publication p does not exist, though capture has begun before",
      """
      changes made while it was missing may not have been sent. Create publication p again as \
      `crossfade check` shows it, then `crossfade reset SLOT --accept-gap` and backfill
      """
    ),
    (
      .publicationUnfit(publication: "p", what: "it leaves out deletes"),
      "publication p does not fit: it leaves out deletes",
      "alter the publication, or name another one in the slot definition"
    ),
    (
      .replicaIdentity(table: "a.b", what: "it has none"),
      "table a.b must not be published: it has none",
      "give the table a primary key, or ALTER TABLE ... REPLICA IDENTITY FULL"
    ),
    (
      .binaryUnreadable(table: "a.b", column: "c", type: "interval"),
      "column c of a.b is of type interval, whose binary form Crossfade cannot read",
      "write `binary: false` under `stream:` in the slot definition"
    ),
    (
      .privilege(what: "w", grant: "g"),
      "w",
      "g"
    ),
    (
      .missingObject(what: "w", hint: "h"),
      "w",
      "h"
    ),
    (
      .exhausted(what: "w"),
      "w",
      "raise max_replication_slots or max_wal_senders and restart the server, or drop an unused slot"
    ),
  ]

  @Test("each refusal says what is wrong and how to mend it", arguments: cases.indices)
  func text(_ index: Int) {
    let (refusal, text, hint) = Self.cases[index]
    #expect(refusal.description == text)
    #expect(refusal.hint == hint)
    #expect(CaptureError.refused(refusal).description == text)
    #expect(CaptureError.refused(refusal).hint == hint)
  }

  @Test("a broken stream is told with its place, and that nothing past it was confirmed")
  func violation() {
    let error = CaptureError.protocolViolation(walStart: Self.at(16), what: "a begin inside a transaction")
    #expect(error.description == "the stream breaks pgoutput's rules at 0/10: a begin inside a transaction")
    #expect(
      error.hint
        == "keep the change log and report this with `crossfade decode` of a recording; "
        + "nothing was confirmed past it")
  }
}
