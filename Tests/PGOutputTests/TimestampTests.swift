import Foundation
import PGOutput
import Testing

@Suite("Timestamp") struct TimestampTests {
  @Test(
    "prints ISO 8601 with microseconds",
    arguments: [
      (0, "2000-01-01T00:00:00.000000Z"),
      (-1, "1999-12-31T23:59:59.999999Z"),
      (1, "2000-01-01T00:00:00.000001Z"),
      (5_097_600_000_000, "2000-02-29T00:00:00.000000Z"),
      (5_184_000_000_000, "2000-03-01T00:00:00.000000Z"),
      (-946_684_800_000_000, "1970-01-01T00:00:00.000000Z"),
      (848_570_400_123_456, "2026-11-21T10:00:00.123456Z"),
      (252_455_615_999_999_999, "9999-12-31T23:59:59.999999Z"),
      (252_455_616_000_000_000, "+010000-01-01T00:00:00.000000Z"),
      (-63_113_904_000_000_000, "0000-01-01T00:00:00.000000Z"),
      (-63_113_904_000_000_001, "-000001-12-31T23:59:59.999999Z"),
      (9_223_371_331_199_999_999, "+294276-12-31T23:59:59.999999Z"),
      (Int64.max, "+294277-01-09T04:00:54.775807Z"),
      (Int64.min, "-290278-12-22T19:59:05.224192Z"),
    ])
  func prints(_ microseconds: Int64, _ text: String) {
    #expect(Timestamp(rawValue: microseconds).description == text)
  }

  @Test("agrees with Foundation's calendar, which turns Julian before 1582")
  func agrees() {
    let format = Date.ISO8601FormatStyle(timeZone: .gmt)
    for day in stride(from: -150_000, through: 1_000_000, by: 37) {
      let seconds = Int64(day) * 86_400
      let date = Date(timeIntervalSince1970: TimeInterval(seconds + 946_684_800))
      let ours = Timestamp(rawValue: seconds * 1_000_000).description
      #expect(ours == format.format(date).replacing("Z", with: ".000000Z"))
    }
  }

  @Test("counts from the Unix epoch, and holds at the ends")
  func unix() {
    #expect(Timestamp(rawValue: 0).unixMicroseconds == 946_684_800_000_000)
    #expect(Timestamp(unixMicroseconds: 946_684_800_000_001).rawValue == 1)
    #expect(Timestamp(rawValue: .max).unixMicroseconds == .max)
    #expect(Timestamp(unixMicroseconds: .min).rawValue == .min)
  }
}
