import Foundation
import Operations
import Testing

@Suite("JSON documents")
struct JSONValueTests {
  private let document: JSONValue = [
    "slot": "s", "lag": 12, "rate": 1.5, "ok": true, "since": nil, "list": [1, [], [:]], "none": [],
    "a": ["z": 1, "b": 2],
  ]

  @Test("are written on one line in the order of their members")
  func compact() {
    #expect(
      document.compact
        == #"{"slot":"s","lag":12,"rate":1.5,"ok":true,"since":null,"list":[1,[],{}],"none":[],"a":{"z":1,"b":2}}"#
    )
  }

  @Test("are written on many lines, two spaces a level")
  func pretty() {
    #expect(
      document.pretty == """
        {
          "slot": "s",
          "lag": 12,
          "rate": 1.5,
          "ok": true,
          "since": null,
          "list": [
            1,
            [],
            {}
          ],
          "none": [],
          "a": {
            "z": 1,
            "b": 2
          }
        }
        """)
  }

  @Test("escape what JSON and line readers cannot take")
  func escapes() {
    #expect(
      JSONValue.string("\"\\/\n\r\t\u{8}\u{C}\0\u{1F}\u{7F}\u{2028}\u{2029}é\u{1F600}").compact
        == #""\"\\/\n\r\t\b\f\u0000\u001f\u007f\u2028\u2029é😀""#)
    #expect(JSONValue.string("\"\u{301}").compact == "\"\\\"\u{301}\"", "a quote under a combining mark")
  }

  @Test("hold every number that JSON can")
  func numbers() {
    let numbers: JSONValue = [
      .unsigned(.max), .integer(.min), .number(0.1), .number(3), .number(-0.0), .number(1e300), .number(.nan),
      .number(-.infinity),
    ]
    #expect(
      numbers.compact == "[18446744073709551615,-9223372036854775808,0.1,3,-0.0,1e+300,null,null]")
  }

  @Test("read back as what they are")
  func roundTrip() throws {
    let every = String(String.UnicodeScalarView((0..<0x2100).compactMap { Unicode.Scalar($0) }))
    let written: JSONValue = [.string(every), .number(1.5e-7), .unsigned(.max)]
    for text in [written.compact, written.pretty] {
      let read = try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [Any])
      #expect(read[0] as? String == every)
      #expect(read[1] as? Double == 1.5e-7)
      #expect((read[2] as? NSNumber)?.uint64Value == .max)
    }
  }

  @Test("are equal when their members are, in the same order")
  func equality() {
    #expect(document == document)
    #expect(JSONValue.object([("a", 1), ("b", 2)]) != .object([("b", 2), ("a", 1)]))
    #expect(Set<JSONValue>([document, document, 1]).count == 2)
  }
}
