import Testing

/// What decides whether a scenario passes has tests of its own.
@Suite("The scenarios' own tools") struct HarnessTests {
  private func folded(_ lines: [String]) -> [String] {
    var folder = LineFolder()
    for line in lines { folder.add(1, line.split(separator: " ").map(String.init)) }
    return folder.lines
  }

  @Test("lines that count up become one, others stay as they are")
  func folding() {
    #expect(
      folded(["INSERT t a=1 b=x", "INSERT t a=2 b=x", "INSERT t a=3 b=x"]) == ["1 INSERT t a=1..3 b=x"])
    #expect(
      folded(["DELETE t (a=-1)", "DELETE t (a=-3)", "DELETE t (a=-5)"]) == ["1 DELETE t (a=-1..-5/-2)"])
    #expect(folded(["INSERT t a=1", "INSERT t a=1", "INSERT t a=1"]) == ["1 INSERT t a=1 {3 times}"])
    #expect(folded(["INSERT t a=1", "INSERT t a=2"]) == ["1 INSERT t a=1", "1 INSERT t a=2"])
  }

  @Test("a row that is missing, doubled, changed or out of order shows")
  func unfolding() {
    let whole = (1...9).map { "INSERT t a=\($0) b=x" }
    #expect(folded(whole) == ["1 INSERT t a=1..9 b=x"])
    var missing = whole
    missing.remove(at: 4)
    var doubled = whole
    doubled.insert(whole[4], at: 4)
    var changed = whole
    changed[4] = "INSERT t a=5 b=y"
    var swapped = whole
    swapped.swapAt(4, 5)
    for other in [missing, doubled, changed, swapped] { #expect(folded(other).count > 1) }
  }

  @Test("leading zeros, digits in names and lines of other transactions do not count up")
  func notCounting() {
    #expect(folded(["INSERT t a='01'", "INSERT t a='02'", "INSERT t a='03'"]).count == 3)
    #expect(folded(["INSERT t1 a=x", "INSERT t2 a=x", "INSERT t3 a=x"]).count == 3)
    var folder = LineFolder()
    for transaction in 1...3 { folder.add(transaction, ["INSERT", "t", "a=\(transaction)"]) }
    #expect(folder.lines == ["1 INSERT t a=1", "2 INSERT t a=2", "3 INSERT t a=3"])
  }

  @Test("values are unmistakable")
  func values() {
    func text(_ value: String) -> String { ValueText.text(Array(value.utf8)) }
    #expect(text("abc") == "abc")
    #expect(text("") == "''")
    #expect(text("NULL") == "'NULL'")
    #expect(text("it's") == "'it''s'")
    #expect(text("ü") == "'ü'")
    #expect(text("\n") == "'<0A>'")
    #expect(ValueText.text([0x61, 0xFC]) == "'a<FC>'")
    #expect(text(String(repeating: "xy", count: 50)) == "'xy'*50")
    let long = (0..<40).map { "\($0)" }.joined()
    #expect(text(long) == "'01234567891011121314'...[70]")
    #expect(ValueText.binary([0, 255]) == "b:00FF")
  }

  @Test("a scenario is read as it is described")
  func parsing() throws {
    let scenario = try Scenario(
      name: "x",
      text: """
        -- Its title
        -- majors: 14..17
        -- a comment
        CREATE TABLE t (a int);
        -- record
        INSERT INTO t                   --> 1 TABLE t(a integer)
          VALUES (1);                   --> 1 INSERT t a=1
        /*b*/ DELETE FROM u;            --> [..15] ERROR no table
                                        --> {streamed captured} 2 DELETE t
        DO $$ BEGIN;
        $$;
        """)
    #expect(scenario.title == "Its title")
    #expect(scenario.majors == 14...17)
    #expect(scenario.setup.map(\.sql) == ["CREATE TABLE t (a int);"])
    #expect(
      scenario.steps.map(\.sql) == ["INSERT INTO t\nVALUES (1);", "DELETE FROM u;", "DO $$ BEGIN;\n$$;"])
    #expect(scenario.steps.map(\.session) == ["a", "b", "a"])
    #expect(scenario.steps[1].error == Scenario.Expectation(majors: 13...15, text: "no table"))
    #expect(scenario.expected(on: 15, .whole, .captured) == ["1 TABLE t(a integer)", "1 INSERT t a=1"])
    #expect(scenario.expected(on: 15, .streamed, .captured).last == "2 DELETE t")
    #expect(scenario.expected(on: 15, .streamed, .peeked).count == 2)
  }

  @Test(
    "a scenario that cannot be understood is not run",
    arguments: [
      "SELECT 1;", "-- t\n-- record\nSELECT 1", "-- t\n-- majors: new\n-- record\n",
      "-- t\n-- record\n--> ERROR of nothing", "-- t\n-- record\nSELECT 1; --> {often} 1 INSERT",
    ])
  func damaged(text: String) {
    #expect(throws: ScenarioSyntaxError.self) { try Scenario(name: "x", text: text) }
  }
}
