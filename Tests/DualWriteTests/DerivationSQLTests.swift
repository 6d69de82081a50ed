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
    #expect(
      QuarantineSQL.releaseDerived(sql) == """
        DELETE FROM crossfade.quarantine AS q
        USING unnest($2::text[], $3::bigint[]) AS k(key, k1)
        WHERE q.slot = $1 AND q.key = k.key::jsonb AND NOT EXISTS (
          SELECT FROM "public"."transactions" AS t
          WHERE t."id" = k.k1 AND (t."state_id" IS NULL OR t."state_id" IS DISTINCT FROM \(sql.derived)))
        """)
  }
}
