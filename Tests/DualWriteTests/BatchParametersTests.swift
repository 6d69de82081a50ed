import PGOutput
import Postgres
import Testing

@testable import DualWrite

@Suite("A batch as parameters") struct BatchParametersTests {
  private func text(_ parameter: Parameter) -> String {
    guard case .terminatedText(let bytes) = parameter, bytes.last == 0 else { return "not terminated text" }
    return String(decoding: bytes.dropLast(), as: UTF8.self)
  }

  @Test("derived keys, unknown statuses and settled keys each go where they belong")
  func parts() throws {
    var scene = try BatchScene(key: ["note", "id"])
    try scene.transaction(
      final: 0x10, Record.insert(.text("1"), .text("a b"), .text("AUTH")),
      Record.insert(.text("2"), .text("c"), .text("XXX")), Record.insert(.text("3"), .text("d"), .null),
      Record.update(.text("4"), .text("e"), .unchanged), Record.delete(.text("5"), .text("f"), .null))
    let parameters = BatchParameters(scene.builder.batch, keyColumns: 2, withSettled: true)
    #expect(parameters.derived.map(text) == [#"{"a b",c,d,e}"#, "{1,2,3,4}"])
    #expect(parameters.derivedCount == 4)
    #expect(
      parameters.quarantined.map(text) == [
        #"{"[\"c\", \"2\"]","[\"d\", \"3\"]"}"#, "{XXX,NULL}", #"{"0/18","0/18"}"#,
        #"{"the map has no such status","the map has no such status"}"#,
      ])
    #expect(parameters.quarantinedCount == 2)
    #expect(text(parameters.settled) == #"{"[\"a b\", \"1\"]","[\"f\", \"5\"]"}"#)
    #expect(parameters.settledCount == 2)
  }

  @Test("with nothing in quarantine nothing is settled")
  func nothingSettled() throws {
    var scene = try BatchScene()
    try scene.transaction(final: 0x10, Record.insert(.text("1"), .null, .text("AUTH")))
    let parameters = BatchParameters(scene.builder.batch, keyColumns: 1, withSettled: false)
    #expect(text(parameters.settled) == "{}")
    #expect(parameters.settledCount == 0)
  }

  @Test(
    "a key as JSON escapes what JSON must",
    arguments: [
      ("1", #"["1"]"#), ("a\"b", #"["a\"b"]"#), ("a\\b", #"["a\\b"]"#),
      ("\n\t\u{1}\u{1F}", #"["\u000a\u0009\u0001\u001f"]"#),
      ("ä€😀", #"["ä€😀"]"#), ("", #"[""]"#),
    ])
  func json(value: String, expected: String) {
    var table = KeyTable(capacity: 1)
    let key = withUnsafeBytes(of: UInt32(value.utf8.count)) { [UInt8]($0) } + Array(value.utf8)
    let index = key.withUnsafeBytes { table.index(of: $0) }
    #expect(String(decoding: BatchParameters.json(table, table.entries[index]), as: UTF8.self) == expected)
  }
}
