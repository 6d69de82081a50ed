import PGOutput
import Testing

@Suite("JSON") struct JSONWriterTests {
  private func text(_ bytes: [UInt8]) -> String {
    var json = JSONWriter()
    json.text(bytes.rawBytes)
    return String(decoding: json.bytes, as: UTF8.self)
  }

  @Test("escapes what RFC 8259 says must be, and nothing else")
  func escapes() {
    #expect(text(Array("a\"b\\c/d".utf8)) == #""a\"b\\c/d""#)
    #expect(
      text(Array("\u{8}\t\n\u{C}\r\u{0}\u{1F}\u{7F}\u{2028}é😀".utf8))
        == "\"\\b\\t\\n\\f\\r\\u0000\\u001f\u{7F}\u{2028}é😀\"")
    #expect(text([]) == "\"\"")
    var json = JSONWriter()
    json.string("\"\u{1}")
    #expect(String(decoding: json.bytes, as: UTF8.self) == #""\"\u0001""#)
  }

  @Test(
    "bytes that are not UTF-8 are kept as base64, not replaced",
    arguments: [
      ("ff", "/w=="), ("c080", "wIA="), ("eda080", "7aCA"), ("61ff62", "Yf9i"), ("f4908080", "9JCAgA=="),
    ])
  func invalid(_ bytes: String, _ base64: String) {
    #expect(text(hex(bytes)) == #"{"base64":"\#(base64)"}"#)
  }

  @Test(
    "base64 has the vectors of RFC 4648",
    arguments: [
      ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="),
      ("foobar", "Zm9vYmFy"),
    ])
  func base64(_ input: String, _ output: String) {
    var json = JSONWriter()
    json.base64(Array(input.utf8).rawBytes)
    #expect(String(decoding: json.bytes, as: UTF8.self) == #"{"base64":"\#(output)"}"#)
  }

  @Test("objects and arrays nest, with commas between")
  func nesting() {
    var json = JSONWriter()
    json.beginObject()
    json.key("a")
    json.beginArray()
    json.integer(1)
    json.null()
    json.beginObject()
    json.endObject()
    json.beginArray()
    json.endArray()
    json.boolean(true)
    json.endArray()
    json.key("b")
    json.string("c")
    json.key("d")
    json.integer(UInt64.max)
    json.endObject()
    #expect(
      String(decoding: json.bytes, as: UTF8.self)
        == #"{"a":[1,null,{},[],true],"b":"c","d":18446744073709551615}"#)
  }
}
