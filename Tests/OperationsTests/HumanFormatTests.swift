import Operations
import Testing

@Suite("Numbers for people")
struct HumanFormatTests {
  @Test(
    "counts have commas between thousands",
    arguments: [
      (0, "0"), (999, "999"), (1_000, "1,000"), (-12_345, "-12,345"), (1_000_000, "1,000,000"),
      (Int64.min, "-9,223,372,036,854,775,808"),
    ] as [(Int64, String)])
  func counts(_ value: Int64, _ text: String) {
    #expect(HumanFormat.count(value) == text)
  }

  @Test(
    "bytes have a binary unit and one digit behind the point",
    arguments: [
      (0, "0 B"), (1_023, "1023 B"), (1_024, "1.0 KiB"), (1_536, "1.5 KiB"), (67_108_864, "64.0 MiB"),
      (1_048_524, "1023.9 KiB"), (1_048_525, "1.0 MiB"), (1 << 40, "1.0 TiB"), (1 << 60, "1.0 EiB"),
      (3 << 59, "1.5 EiB"), (.max, "16.0 EiB"),
    ] as [(UInt64, String)])
  func bytes(_ value: UInt64, _ text: String) {
    #expect(HumanFormat.bytes(value) == text)
  }

  @Test(
    "rates are whole, and small ones are not",
    arguments: [
      (0, "0/s"), (0.31, "0.3/s"), (9.94, "9.9/s"), (9.96, "10/s"), (950.4, "950/s"),
      (123_456.7, "123,457/s"),
      (.infinity, "-"), (.nan, "-"), (-1, "-"), (1e300, "-"),
    ] as [(Double, String)])
  func rates(_ value: Double, _ text: String) {
    #expect(HumanFormat.rate(value) == text)
  }

  @Test("rates of bytes are bytes a second")
  func byteRates() {
    #expect(HumanFormat.byteRate(12_897_484.8) == "12.3 MiB/s")
    #expect(HumanFormat.byteRate(.nan) == "-")
  }

  @Test(
    "durations have three digits or two units",
    arguments: [
      (.zero, "0 s"), (.nanoseconds(400), "0 us"), (.microseconds(850), "850 us"),
      (.nanoseconds(999_600), "1.00 ms"), (.microseconds(1_234), "1.23 ms"),
      (.microseconds(45_600), "45.6 ms"),
      (.microseconds(999_600), "1.00 s"), (.milliseconds(9_999), "10.0 s"), (.milliseconds(59_940), "59.9 s"),
      (.milliseconds(59_960), "1m 00s"), (.seconds(185), "3m 05s"), (.milliseconds(3_599_600), "1h 00m"),
      (.seconds(7_620), "2h 07m"), (.seconds(356_400), "4d 03h"), (.milliseconds(-1_500), "-1.50 s"),
    ] as [(Duration, String)])
  func durations(_ value: Duration, _ text: String) {
    #expect(HumanFormat.duration(value) == text)
  }

  @Test("a time that is left is in whole seconds, rounded up")
  func wholeSeconds() {
    #expect(HumanFormat.wholeSeconds(.milliseconds(4_001)) == "5 s")
    #expect(HumanFormat.wholeSeconds(.milliseconds(59_001)) == "1m 00s")
    #expect(HumanFormat.wholeSeconds(.seconds(7_620)) == "2h 07m")
    #expect(HumanFormat.wholeSeconds(.zero) == "0 s")
  }

  @Test("a percentage is 100.0% only when nothing is missing, 0.0% only when nothing is there")
  func percentages() {
    #expect(HumanFormat.percentage(453, of: 1_000) == "45.3%")
    #expect(HumanFormat.percentage(0, of: 9) == "0.0%")
    #expect(HumanFormat.percentage(1, of: 1_000_000) == "0.1%")
    #expect(HumanFormat.percentage(999_999, of: 1_000_000) == "99.9%")
    #expect(HumanFormat.percentage(9, of: 9) == "100.0%")
    #expect(HumanFormat.percentage(10, of: 9) == "100.0%")
    #expect(HumanFormat.percentage(0, of: 0) == "-")
  }
}
