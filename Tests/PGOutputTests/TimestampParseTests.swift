import PGOutput
import Testing

@Suite("Moments, read") struct TimestampParseTests {
  @Test(
    "what is written is read back, whatever the zone",
    arguments: [
      ("2026-11-21T10:00:00Z", "2026-11-21T10:00:00.000000Z"),
      ("2026-11-21 10:00:00.5+01:00", "2026-11-21T09:00:00.500000Z"),
      ("2026-11-21T10:00:00-0530", "2026-11-21T15:30:00.000000Z"),
      ("2024-02-29T23:59:59.123456+00", "2024-02-29T23:59:59.123456Z"),
      ("1999-12-31T23:59:59.999999Z", "1999-12-31T23:59:59.999999Z"),
    ])
  func read(text: String, written: String) {
    #expect(Timestamp(iso8601: text)?.description == written)
  }

  @Test(
    "what is no moment is not read",
    arguments: [
      "", "2026-11-21", "2026-11-21T10:00:00", "2026-02-29T10:00:00Z", "2026-13-01T10:00:00Z",
      "2026-11-21T24:00:00Z", "2026-11-21T10:00:00.Z", "2026-11-21T10:00:00.1234567Z",
      "2026-11-21T10:00:00Zx",
      "2026-11-21T10:00:00+1", "26-11-21T10:00:00Z", "2026-11-21T10:60:00Z",
    ])
  func refused(text: String) {
    #expect(Timestamp(iso8601: text) == nil)
  }
}
