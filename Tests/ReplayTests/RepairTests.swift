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
    // Of each the last change is what a repair corrects.
    #expect(batch.rows.map(\.position) == [events[1].position, events[2].position])
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
    let derived =
      "(SELECT m.id::bigint FROM unnest($8::text[], $9::text[]) AS m(status, id) "
      + #"WHERE m.status COLLATE "C" IS NOT DISTINCT FROM t."status"::text)"#
    let code =
      #"(SELECT m."code"::text FROM "public"."transaction_state" AS m WHERE m."id" = t."state_id" LIMIT 1)"#
    let given = RepairSQL(derive: derive, keyTypes: ["bigint"], givenMapType: "bigint").apply
    #expect(
      given == """
        WITH held AS (
          SELECT k.*, t."state_id"::text AS was, \(code) AS was_code
            FROM (SELECT * FROM unnest($10::bigint[], $11::text[]) AS u(k1, corrects)
                   ORDER BY 1) AS k
            JOIN "public"."transactions" AS t ON t."id" = k.k1
           WHERE \(derived) IS NOT NULL AND t."state_id" IS DISTINCT FROM \(derived)
             FOR NO KEY UPDATE OF t),
        written AS (
          UPDATE "public"."transactions" AS t SET "state_id" = \(derived) FROM held AS k WHERE t."id" = k.k1 AND \(derived) IS NOT NULL AND t."state_id" IS DISTINCT FROM \(derived)
          RETURNING k.corrects, json_build_array(t."id"::text) AS key, t."state_id"::text AS state, \(code) AS code,
                    t."status"::text AS status, k.was, k.was_code)
        UPDATE crossfade.replay AS r
           SET end_lsn = $2::pg_lsn, ordinal = $3::numeric, changes = r.changes + $4::bigint,
               written = r.written + (SELECT count(pg_logical_emit_message(true, 'crossfade.correction', convert_to(json_build_object('cause', 'replay', 'corrects', w.corrects, 'key', w.key, 'state', w.state, 'code', w.code, 'status', w.status, 'was', w.was, 'was_code', w.was_code)::text, (CASE getdatabaseencoding() WHEN 'SQL_ASCII' THEN 'SQL_ASCII' ELSE 'UTF8' END)::name))) FROM written AS w), refused = r.refused + $5::bigint,
               gaps = r.gaps || $6::jsonb, updated_at = clock_timestamp(),
               finished_at = CASE WHEN $7::boolean THEN clock_timestamp() END
         WHERE r.slot = $1
        RETURNING r.written
        """)
    let unheard = RepairSQL(derive: derive, keyTypes: ["bigint"], givenMapType: nil, isHeard: false).apply
    #expect(unheard.contains("(SELECT count(*) FROM written AS w)"))
    let own = RepairSQL(derive: derive, keyTypes: ["bigint"], givenMapType: nil).apply
    #expect(
      own.contains("unnest($8::bigint[], $9::text[])") && own.contains(#"FROM "public"."transaction_state""#))
  }
}
