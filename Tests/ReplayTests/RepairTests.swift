import Derivation
import PGOutput
import Testing

@testable import Replay

@Suite("What a repair is made of") struct RepairTests {
  @Test("a batch holds each row once, and counts every change")
  func batch() throws {
    let log = try ReplayLog()
    try log.commit(
      second: 1, .insert(1, .text("AUTH")), .update(1, .text("AUTH")), .insert(2, .null), .delete(3),
      .truncate)
    var batch = RepairBatch()
    #expect(batch.isEmpty)
    let events = try log.events()
    for event in events { batch.add(event) }
    #expect(batch.keys == [key(1), key(2)] && batch.changes == 5)
    #expect(batch.position == events.last?.position)
  }

  @Test("a rate holds over the whole time, not from batch to batch")
  func rate() {
    var limit = RateLimit(perSecond: 100, start: 1_000_000_000)
    #expect(limit.pause(after: 50, now: 1_000_000_000) == 500)
    // The target took a second: nothing is to be waited for.
    #expect(limit.pause(after: 50, now: 2_000_000_000) == 0)
    #expect(limit.pause(after: 50, now: 2_000_000_000) == 500)
    var none = RateLimit(perSecond: nil, start: 0)
    #expect(none.pause(after: 1_000_000, now: 0) == 0)
  }

  @Test("a request is the same whatever the order of its keys and states")
  func request() throws {
    #expect(
      RepairRecord.Request.text(of: [key(1), key(20)]) == RepairRecord.Request.text(of: [key(20), key(1)]))
    #expect(RepairRecord.Request.text(of: [key(1)]) != RepairRecord.Request.text(of: [key(2)]))
    let states = [
      State(id: "1", code: "a", status: "A"), State(id: "2", code: "n", status: nil),
    ]
    #expect(RepairRecord.Request.text(of: states) == "1:A=1;NULL=2")
    #expect(RepairRecord.Request.text(of: states.reversed()) == "1:A=1;NULL=2")
    #expect(
      RepairRecord.Request.text(of: try ReplayLog.derive())
        == "public.transactions (id): status -> state_id by public.transaction_state (id, code, legacy_status)"
    )
  }

  @Test("the statement, by the target's map and by one given")
  func sql() throws {
    let derive = try ReplayLog.derive()
    let given = RepairSQL(derive: derive, keyTypes: ["bigint"], givenMapType: "bigint").apply
    #expect(
      given == """
        WITH written AS (
          UPDATE "public"."transactions" AS t SET "state_id" = (SELECT m.id::bigint FROM unnest($8::text[], $9::text[]) AS m(status, id) WHERE m.status COLLATE "C" IS NOT DISTINCT FROM t."status"::text)
          FROM (SELECT * FROM unnest($10::bigint[]) AS u(k1) ORDER BY 1) AS k
          WHERE t."id" = k.k1 AND (SELECT m.id::bigint FROM unnest($8::text[], $9::text[]) AS m(status, id) WHERE m.status COLLATE "C" IS NOT DISTINCT FROM t."status"::text) IS NOT NULL AND t."state_id" IS DISTINCT FROM (SELECT m.id::bigint FROM unnest($8::text[], $9::text[]) AS m(status, id) WHERE m.status COLLATE "C" IS NOT DISTINCT FROM t."status"::text)
          RETURNING 1)
        UPDATE crossfade.replay AS r
           SET end_lsn = $2::pg_lsn, ordinal = $3::numeric, changes = r.changes + $4::bigint,
               written = r.written + (SELECT count(*) FROM written), refused = r.refused + $5::bigint,
               gaps = r.gaps || $6::jsonb, updated_at = clock_timestamp(),
               finished_at = CASE WHEN $7::boolean THEN clock_timestamp() END
         WHERE r.slot = $1
        RETURNING r.written
        """)
    let own = RepairSQL(derive: derive, keyTypes: ["bigint"], givenMapType: nil).apply
    #expect(own.contains("unnest($8::bigint[])") && own.contains(#"FROM "public"."transaction_state""#))
  }
}
