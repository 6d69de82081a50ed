import Foundation
import Operations
import Testing

@Suite("Moments in UTC")
struct UTCInstantTests {
  @Test(
    "are printed as RFC 3339 with milliseconds",
    arguments: [
      (0, 0, "1970-01-01T00:00:00.000Z"), (1_795_255_200, 123_999_999, "2026-11-21T10:00:00.123Z"),
      (951_782_400, 0, "2000-02-29T00:00:00.000Z"), (4_107_542_399, 999_000_000, "2100-02-28T23:59:59.999Z"),
      (-1, 0, "1969-12-31T23:59:59.000Z"), (-62_135_596_800, 0, "0001-01-01T00:00:00.000Z"),
      (253_402_300_799, 0, "9999-12-31T23:59:59.000Z"),
    ] as [(Int64, Int32, String)])
  func description(_ seconds: Int64, _ nanoseconds: Int32, _ text: String) {
    #expect(UTCInstant(seconds: seconds, nanoseconds: nanoseconds).description == text)
  }

  @Test("agree with Foundation over the centuries")
  func foundation() {
    let style = Date.ISO8601FormatStyle(includingFractionalSeconds: true)
    var seconds: Int64 = -2_000_000_000
    while seconds < 8_000_000_000 {
      let expected = Date(timeIntervalSince1970: Double(seconds)).formatted(style)
      #expect(UTCInstant(seconds: seconds).description == expected)
      seconds += 86_399 * 97
    }
  }

  @Test("have no value that traps")
  func extremes() {
    #expect(UTCInstant(seconds: .max).description.hasSuffix("Z"))
    #expect(UTCInstant(seconds: .min).description.hasPrefix("-"))
  }

  @Test("now is after this was written")
  func now() {
    #expect(UTCInstant.now() > UTCInstant(seconds: 1_700_000_000))
  }
}
