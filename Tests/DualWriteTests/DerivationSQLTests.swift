import Derivation
import Testing

@testable import DualWrite

@Suite("The derivation as SQL") struct DerivationSQLTests {
  @Test("one key column")
  func oneColumn() throws {
    let sql = DerivationSQL(try .example(), keyTypes: ["bigint"])
    #expect(
      sql.derived == """
        CASE WHEN t."status" IS NULL
        THEN (SELECT m."id" FROM "public"."transaction_state" AS m WHERE m."legacy_status" IS NULL)
        ELSE (SELECT m."id" FROM "public"."transaction_state" AS m \
        WHERE m."legacy_status"::text COLLATE "C" = t."status"::text) END
        """)
    #expect(
      sql.applyKeys == """
        UPDATE "public"."transactions" AS t SET "state_id" = CASE WHEN t."status" IS NULL
        THEN (SELECT m."id" FROM "public"."transaction_state" AS m WHERE m."legacy_status" IS NULL)
        ELSE (SELECT m."id" FROM "public"."transaction_state" AS m \
        WHERE m."legacy_status"::text COLLATE "C" = t."status"::text) END
        FROM (SELECT * FROM unnest($1::bigint[]) AS u(k1) ORDER BY 1) AS k
        WHERE t."id" = k.k1 AND t."state_id" IS DISTINCT FROM CASE WHEN t."status" IS NULL
        THEN (SELECT m."id" FROM "public"."transaction_state" AS m WHERE m."legacy_status" IS NULL)
        ELSE (SELECT m."id" FROM "public"."transaction_state" AS m \
        WHERE m."legacy_status"::text COLLATE "C" = t."status"::text) END
        """)
  }

  @Test("a composite key, and names that need their quotes")
  func compositeKey() throws {
    let derive = try SlotDefinition.Derive.example(
      table: #""My Ledger"."tx""s""#, key: ["Region", "id"], map: "public.m")
    let sql = DerivationSQL(derive, keyTypes: ["character varying(10)", "bigint"])
    let derived = """
      CASE WHEN t."status" IS NULL
      THEN (SELECT m."id" FROM "public"."m" AS m WHERE m."legacy_status" IS NULL)
      ELSE (SELECT m."id" FROM "public"."m" AS m \
      WHERE m."legacy_status"::text COLLATE "C" = t."status"::text) END
      """
    #expect(
      sql.applyKeys == """
        UPDATE "My Ledger"."tx""s" AS t SET "state_id" = \(derived)
        FROM (SELECT * FROM unnest($1::character varying(10)[], $2::bigint[]) AS u(k1, k2) ORDER BY 1, 2) AS k
        WHERE t."Region" = k.k1 AND t."id" = k.k2 AND t."state_id" IS DISTINCT FROM \(derived)
        """)
  }

  @Test("the release of a retried quarantine")
  func release() throws {
    let sql = DerivationSQL(try .example(), keyTypes: ["bigint"])
    func release(_ told: String) -> String {
      """
      WITH k AS (SELECT * FROM unnest($2::text[], $3::bigint[]) AS u(key, k1)),
      agreed AS (
        SELECT k.key, t."state_id"::text AS state, (SELECT m."code"::text FROM "public"."transaction_state" AS m WHERE m."id" = t."state_id" LIMIT 1) AS code,
               t."status"::text AS status
          FROM k JOIN "public"."transactions" AS t ON t."id" = k.k1
         WHERE t."state_id" IS NOT NULL AND t."state_id" IS NOT DISTINCT FROM \(sql.derived)
           FOR NO KEY UPDATE OF t SKIP LOCKED),
      released AS (
        DELETE FROM crossfade.quarantine AS q
        USING (SELECT key, true AS stands, state, code, status FROM agreed
               UNION ALL SELECT k.key, false, NULL, NULL, NULL FROM k
                          WHERE NOT EXISTS (SELECT FROM "public"."transactions" AS t WHERE t."id" = k.k1)) AS d
        WHERE q.slot = $1 AND q.key = d.key::jsonb
        RETURNING q.key, q.position, d.stands, d.state, d.code, d.status)
      SELECT count(*), \(told) FROM released AS r
      """
    }
    #expect(
      QuarantineSQL.releaseDerived(sql)
        == release(
          "count(CASE WHEN r.stands THEN pg_logical_emit_message(true, 'crossfade.correction', "
            + "convert_to(json_build_object('cause', 'quarantine', 'corrects', r.position::text, 'key', r.key, "
            + "'state', r.state, 'code', r.code, 'status', r.status)::text, "
            + "(CASE getdatabaseencoding() WHEN 'SQL_ASCII' THEN 'SQL_ASCII' ELSE 'UTF8' END)::name)) END)"))
    #expect(
      QuarantineSQL.releaseDerived(sql, isHeard: false) == release("count(*) FILTER (WHERE r.stands)"))
  }
}
