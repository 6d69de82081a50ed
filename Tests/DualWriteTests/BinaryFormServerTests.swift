import PGOutput
import Postgres
import Testing

@testable import DualWrite

@Suite("Binary forms, as the server writes both") struct BinaryFormServerTests {
  /// Expressions over `n` (1 to 2000) of each type, and the values at its edges.
  private static let types: [(type: String, some: String, edges: [String])] = [
    ("smallint", "(n * 31 - 30000)", ["-32768", "32767"]), ("integer", "(n * -999983)", ["-2147483648"]),
    ("bigint", "(n::bigint * 4611686018427387 - 1)", ["9223372036854775807"]),
    ("oid", "(n::bigint * 2147483)", ["4294967295"]), ("boolean", "(n % 2)::int", []),
    ("text", "repeat('\u{E9}', n % 40)", ["''"]), ("varchar", "md5(n::text)", []),
    ("char(7)", "(n % 100000)::text", []), ("name", "md5(n::text)", []), ("\"char\"", "chr(n % 127 + 1)", []),
    ("uuid", "md5(n::text)", []), ("bytea", "decode(md5(n::text), 'hex')", ["''"]),
    ("date", "(date '0001-01-01 BC' + n * 2500)", ["'infinity'", "'-infinity'", "'4713-01-01 BC'"]),
    (
      "timestamp", "(timestamp '2000-01-01' + (n - 1000) * interval '97 days 3:04:05.6789')",
      ["'infinity'", "'-infinity'", "'4713-01-01 BC'", "'294276-12-31 23:59:59.999999'"]
    ),
    (
      "timestamptz", "(timestamptz '2000-01-01' - n * interval '413 days 00:00:00.000001')",
      ["'infinity'", "'-infinity'", "'294276-12-31'"]
    ),
    (
      "numeric", "((n - 1000)::numeric ^ (n % 9) / (10::numeric ^ (n % 30)))",
      ["'NaN'", "0.0", "1e100", "-1e-100", "10000", "99999999.00000001", "100000000.10"]
    ),
    ("numeric(12,2)", "(n * 98765.4321)", ["0", "0.01", "-9999999999.99"]),
  ]

  @Test("each type's binary values read as the server's own text", arguments: types.indices)
  func sameText(_ index: Int) throws {
    let (type, some, edges) = Self.types[index]
    let session = try TargetDatabase("binary_form_\(index)").connect()
    try session.script("SET timezone = 'UTC'; SET datestyle = 'ISO, MDY'", purpose: "set the style")
    let send = try #require(
      try session.query(
        "SELECT typsend::regproc::text FROM pg_type WHERE oid = $1::regtype", [.text(type)], purpose: "ask")[
          0, 0])
    let form = try #require(BinaryForm(sendFunction: send), "\(send)")
    let rows = try session.query(
      """
      SELECT format('%s', v), encode(\(send)(v), 'hex') FROM (
        SELECT \(some)::\(type) AS v FROM generate_series(1, 2000) AS n
        \(edges.map { "UNION ALL SELECT (\($0))::\(type)" }.joined(separator: " "))) AS values
      """, purpose: "ask for values")
    #expect(rows.rowCount == 2000 + edges.count)
    for row in 0..<rows.rowCount {
      let hex = Array((rows[row, 1] ?? "").utf8)
      let bytes = stride(from: 0, to: hex.count, by: 2).compactMap {
        UInt8(String(decoding: hex[$0...($0 + 1)], as: UTF8.self), radix: 16)
      }
      var text: [UInt8] = []
      #expect(form.appendText(of: bytes.rawBytes, to: &text))
      guard String(decoding: text, as: UTF8.self) == rows[row, 0] else {
        Issue.record("\(type): \(String(decoding: text, as: UTF8.self)) for \(rows[row, 0] ?? "NULL")")
        return
      }
    }
  }

  @Test("built-in types have the same form by oid and by their send function")
  func oids() throws {
    let session = try TargetDatabase("binary_forms").connect()
    for (type, _, _) in Self.types {
      let rows = try session.query(
        "SELECT oid, typsend::regproc::text FROM pg_type WHERE oid = $1::regtype", [.text(type)],
        purpose: "ask")
      let oid = TypeOID(rawValue: UInt32(truncatingIfNeeded: rows.integer(0, 0) ?? 0))
      #expect(BinaryForm(builtIn: oid) == BinaryForm(sendFunction: rows[0, 1] ?? ""), "\(type)")
    }
  }
}
