import Derivation
import DualWrite
import Postgres
import Testing

@testable import Migration

@Suite("Whether the old column can hold the map's texts", .serialized) struct MapTextTests {
  /// What is said of a map with these texts, ids from 1; what passes is left out.
  private func told(
    _ name: String, _ texts: [String?], prepare: String, bridge: Bool = false, records: [StepRecord]? = [],
    isPartitioned: Bool = false
  ) throws -> [String] {
    var database = try LedgerDatabase(name, isPartitioned: isPartitioned)
    try database.run(prepare)
    if bridge { database.definition.migrate.bridge = .trigger }
    let map = StateMap(
      texts.indices.map {
        State(
          id: ExactText("\($0 + 1)"), code: ExactText("c\($0 + 1)"), status: texts[$0].map { ExactText($0) })
      })
    let connection = try database.connect()
    try connection.makeReadOnly()
    let facts = try #require(
      try MapTextFacts.ask(
        database.definition, map: map, without: MigrationSteps.goneCheck(database.definition, after: records),
        connection))
    let gate = facts.gate(database.definition.derive)
    #expect(gate.passes == facts.misfits.isEmpty)
    #expect(gate.passes || gate.mend?.isEmpty == false)
    return Fixture.lines(facts.findings(database.definition.derive).filter { $0.level != .pass })
  }

  private static let other =
    "give the state another text in public.transaction_state and derive.map.states; or "

  @Test("a CHECK and a length refuse, each with its state and the way out")
  func checkAndLength() throws {
    let found = try told(
      "texts_check", ["AUTH", "REF", "LONGER THAN", "DONE", nil],
      prepare: """
        ALTER TABLE public.transactions ALTER COLUMN status TYPE varchar(6),
          ADD CONSTRAINT known CHECK (status IN ('AUTH', 'CAP', 'DONE', 'LONGER')) NOT VALID;
        """)
    #expect(found.count == 2)
    #expect(
      found.first?.hasPrefix(
        "fail map texts: state c2 (2): its text 'REF' breaks CHECK known of public.transactions: ")
        == true)
    #expect(
      found.first?.contains(Self.other + "ALTER TABLE public.transactions DROP CONSTRAINT \"known\"") == true)
    #expect(
      found.last
        == "fail map texts: state c3 (3): its text 'LONGER THAN' is too long for status, which is character varying(6) | "
        + Self.other + "ALTER TABLE \"public\".\"transactions\" ALTER COLUMN \"status\" TYPE varchar(11);"
        + "  -- ACCESS EXCLUSIVE, a moment: nothing is rewritten")
  }

  @Test(
    "NULL is refused where NOT NULL stays: with the bridge, and with a default; else the cutover sees to it")
  func null() throws {
    let required = "ALTER TABLE public.transactions ALTER COLUMN status SET NOT NULL"
    #expect(try told("texts_null", [nil], prepare: required) == [])
    #expect(
      try told("texts_null_bridge", [nil], prepare: required, bridge: true).first?.hasPrefix(
        "fail map texts: state c1 (1): its text NULL cannot be written to status, which is NOT NULL, and stays so with "
          + "migrate.bridge | ") == true)
    #expect(
      try told(
        "texts_null_default", [nil], prepare: required + ", ALTER COLUMN status SET DEFAULT 'AUTH'"
      ).first?.contains("stays so since it has a default | ") == true)
    #expect(
      try told(
        "texts_null_check", [nil],
        prepare: "ALTER TABLE public.transactions ADD CONSTRAINT told CHECK (status IS NOT NULL)"
      ).first?.contains("its text NULL breaks CHECK told") == true)
    let partition = "ALTER TABLE public.low ALTER COLUMN status SET NOT NULL"
    #expect(
      try told("texts_null_partition", [nil], prepare: partition, isPartitioned: true).first?.contains(
        "which is NOT NULL in a partition | ") == true)
  }

  @Test("the CHECK that a way back has left is no refusal, since the cutover takes it away")
  func ownCheck() throws {
    let left =
      "ALTER TABLE public.transactions ADD CONSTRAINT transactions_status_not_null CHECK (status IS NOT NULL) NOT VALID"
    #expect(try told("texts_own", [nil], prepare: left, records: nil) == [])
    #expect(try told("texts_not_own", [nil], prepare: left, records: []).count == 1)
  }

  @Test("enums, domains, padding and a partition's own CHECK")
  func types() throws {
    let type = "ALTER TABLE public.transactions ALTER COLUMN status TYPE"
    #expect(
      try told(
        "texts_enum", ["AUTH", "REF"],
        prepare: "CREATE TYPE public.s AS ENUM ('AUTH'); \(type) public.s USING status::public.s"
      ) == [
        "fail map texts: state c2 (2): its text 'REF' is no label of enum public.s, the type of status | "
          + Self.other + "ALTER TYPE public.s ADD VALUE 'REF';"
      ])
    #expect(
      try told(
        "texts_domain", ["AUTH", "REF", nil, "AUTHORIZED"],
        prepare: "CREATE DOMAIN public.d AS varchar(6) NOT NULL CHECK (VALUE LIKE 'A%'); \(type) public.d"
      ).map { $0.split(separator: " | ")[0] } == [
        "fail map texts: state c2 (2): its text 'REF' is refused by status (public.d): value for domain public.d violates "
          + "check constraint \"d_check\"",
        "fail map texts: state c3 (3): its text NULL is refused by status (public.d): domain public.d does not allow null "
          + "values",
        "fail map texts: state c4 (4): its text 'AUTHORIZED' is too long for status, which is public.d",
      ])
    #expect(
      try told("texts_number", ["1", "02"], prepare: "\(type) integer USING 1").first?.contains(
        "'02' would be read from status (integer) as '2'") == true)
    #expect(
      try told(
        "texts_partition", ["AUTH", "REF"],
        prepare: "ALTER TABLE public.highest ADD CHECK (status = 'AUTH')", isPartitioned: true
      ).first?.contains("'REF' breaks CHECK highest_status_check of public.highest") == true)
  }

  @Test("a CHECK that names other columns is told, and nothing is written")
  func others() throws {
    #expect(
      try told(
        "texts_others", ["AUTH"],
        prepare: "ALTER TABLE public.transactions ADD CONSTRAINT pair CHECK (status <> 'CAP' OR id > 5)"
      ).map { $0.split(separator: " | ")[0] } == [
        "warn map texts: status text can hold the map's text; CHECK pair names other columns too, and cannot be tried"
      ])
    #expect(
      try told(
        "texts_function", ["AUTH"],
        prepare: """
          CREATE TABLE public.seen (t text);
          CREATE FUNCTION public.see(t text) RETURNS boolean LANGUAGE plpgsql AS
            'BEGIN INSERT INTO public.seen VALUES (t); RETURN true; END';
          ALTER TABLE public.transactions ADD CONSTRAINT writes CHECK (public.see(status));
          """
      ).first?.contains("cannot execute INSERT in a read-only transaction") == true)
  }
}
