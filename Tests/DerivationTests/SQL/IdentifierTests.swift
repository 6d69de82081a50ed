import Derivation
import Testing

@Suite("SQL names")
struct IdentifierTests {
  @Test("a double quote is doubled, and everything is quoted")
  func quoting() throws {
    #expect(try Identifier("status").quoted == #""status""#)
    #expect(try Identifier(#"a"b""#).quoted == #""a""b""""#)
    #expect(try Identifier(#"x"; DROP TABLE t; --"#).quoted == #""x""; DROP TABLE t; --""#)
    #expect(
      try Identifier("\"\u{301}x").quoted == "\"\"\"\u{301}x\"", "a quote under a combining mark is a quote")
  }

  @Test("a name is shown in quotes only where it needs them")
  func description() throws {
    #expect(try Identifier("state_id").description == "state_id")
    #expect(try Identifier("Status").description == #""Status""#)
    #expect(try Identifier("1st").description == #""1st""#)
    #expect(try QualifiedName(sql: #""My Schema".t"#).description == #""My Schema".t"#)
  }

  @Test("63 bytes are a name and 64 are not")
  func length() throws {
    #expect(try Identifier(String(repeating: "a", count: 63)).name.count == 63)
    #expect(throws: Identifier.Problem.tooLong(bytes: 64)) {
      try Identifier(String(repeating: "a", count: 64))
    }
    #expect(throws: Identifier.Problem.tooLong(bytes: 64)) {
      try Identifier(String(repeating: "\u{E9}", count: 32))
    }
  }

  @Test("NUL and nothing are refused")
  func unusable() {
    #expect(throws: Identifier.Problem.containsNUL) { try Identifier("a\0b") }
    #expect(throws: Identifier.Problem.containsNUL) { try Identifier(sql: "\"a\0b\"") }
    #expect(throws: Identifier.Problem.empty) { try Identifier("") }
    #expect(throws: Identifier.Problem.empty) { try Identifier(sql: #""""#) }
    #expect(throws: Identifier.Problem.empty) { try QualifiedName(sql: "public.") }
    #expect(throws: Identifier.Problem.empty) { try QualifiedName(sql: ".t") }
  }

  @Test("what SQL would fold, cut or not take is refused")
  func sqlForms() throws {
    #expect(throws: Identifier.Problem.unquotedCapitals) { try Identifier(sql: "Status") }
    #expect(throws: Identifier.Problem.needsQuotes("-")) { try Identifier(sql: "a-b") }
    #expect(throws: Identifier.Problem.needsQuotes("1")) { try Identifier(sql: "1a") }
    #expect(throws: Identifier.Problem.unclosedQuote) { try Identifier(sql: "\"a") }
    #expect(throws: Identifier.Problem.trailing("b")) { try Identifier(sql: "\"a\"b") }
    #expect(throws: Identifier.Problem.parts(found: 2, expected: 1)) { try Identifier(sql: "a.b") }
    #expect(throws: Identifier.Problem.parts(found: 1, expected: 2)) { try QualifiedName(sql: "t") }
    #expect(throws: Identifier.Problem.parts(found: 3, expected: 2)) { try QualifiedName(sql: "db.public.t") }
    #expect(try Identifier(sql: "prix_$2").name == "prix_$2")
    #expect(try Identifier(sql: "\u{E9}tat").name == "\u{E9}tat")
    #expect(try QualifiedName(sql: "\"a.b\".\"c.d\"").schema.name == "a.b")
  }

  @Test("names are compared to the byte")
  func equality() throws {
    #expect(try Identifier("\u{E9}") != Identifier("e\u{301}"))
    #expect(try Identifier("a") == Identifier("a"))
  }
}
