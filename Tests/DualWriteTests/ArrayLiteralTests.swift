import LocalCluster
import Postgres
import Testing

@testable import DualWrite

@Suite("Array literals", .timeLimit(.minutes(10))) struct ArrayLiteralTests {
  private func literal(_ elements: [String?]) -> [UInt8] {
    var array = ArrayLiteral(capacity: 8)
    for element in elements {
      if let element { array.append(Array(element.utf8)) } else { array.appendNull() }
    }
    return array.finish()
  }

  @Test("plain elements stand as they are, the others are quoted, and a zero byte ends it")
  func text() {
    let elements: [String?] = ["1", "-5", "", nil, "null", "NULL", "a b", "a,b", "{}", "\"", "\\", "abc_D"]
    #expect(
      String(decoding: literal(elements).dropLast(), as: UTF8.self)
        == #"{1,-5,"",NULL,"null","NULL","a b","a,b","{}","\"","\\",abc_D}"#)
    #expect(literal([]) == Array("{}".utf8) + [0])
    #expect(literal([""]) == Array("{\"\"}".utf8) + [0])
  }

  @Test("the server reads back exactly what was written")
  func roundTrip() throws {
    let session = try TargetDatabase("array_literals").connect()
    var random = SeededGenerator(seed: 7)
    let alphabet = Array("aZ09-_ ,{}()\"\\'\t\n\u{1}nNuUlLäß€😀;:/\u{7F}")
    var elements: [String?] = [
      "", " ", "null", "NULL", "Null", "nil", nil, "a", "{}", "{a,b}", "\"\"", "\\\"", "\\\\", "a\nb", " a ",
      ",",
      "'", "''", "--", "äöü", "\u{1F4B3}", String(repeating: "\"", count: 1000),
    ]
    for _ in 0..<2000 {
      let length = Int.random(in: 0..<12, using: &random)
      elements.append(String((0..<length).map { _ in alphabet.randomElement(using: &random) ?? "a" }))
    }
    let rows = try session.query(
      "SELECT u FROM unnest($1::text[]) WITH ORDINALITY AS x(u, n) ORDER BY n",
      [.terminatedText(literal(elements))], purpose: "read an array")
    #expect(rows.rowCount == elements.count)
    for (row, element) in elements.enumerated() { #expect(rows[row, 0] == element) }
  }

  @Test("arrays of other types are read too")
  func types() throws {
    let session = try TargetDatabase("array_types").connect()
    #expect(
      try session.column(
        "SELECT unnest($1::bigint[])", [.terminatedText(literal(["-9223372036854775808", "7", nil]))])
        == ["-9223372036854775808", "7", "NULL"])
    #expect(
      try session.column("SELECT unnest($1::pg_lsn[])", [.terminatedText(literal(["16/B374D848", "0/0"]))])
        == ["16/B374D848", "0/0"])
    #expect(try session.column("SELECT cardinality($1::text[])", [.terminatedText(literal([]))]) == ["0"])
  }
}
