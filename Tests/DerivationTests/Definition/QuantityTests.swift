import Derivation
import Testing

@Suite("Sizes and durations")
struct QuantityTests {
  @Test(
    "a size is digits and a binary unit",
    arguments: [("0B", 0), ("512B", 512), ("64KiB", 65_536), ("64MiB", 67_108_864), ("1GiB", 1_073_741_824)])
  func size(_ text: String, _ bytes: Int) {
    #expect(ByteCount(text)?.bytes == bytes)
    #expect(ByteCount(bytes: bytes).description == text)
  }

  @Test(
    "a duration is digits and a unit",
    arguments: [
      ("0ms", 0), ("500ms", 500), ("2s", 2_000), ("10m", 600_000), ("1h", 3_600_000), ("90s", 90_000),
    ])
  func duration(_ text: String, _ milliseconds: Int) {
    #expect(Milliseconds(text)?.count == milliseconds)
    #expect(Milliseconds(milliseconds).description == text)
    #expect(Milliseconds(milliseconds).duration == .milliseconds(milliseconds))
  }

  @Test("1024MiB is shown in its largest unit")
  func largestUnit() {
    #expect(ByteCount("1024MiB")?.description == "1GiB")
    #expect(Milliseconds("120s")?.description == "2m")
  }

  @Test(
    "anything else is none",
    arguments: [
      "", "MiB", "64", "64MB", "64 MiB", " 64MiB", "-1MiB", "+1MiB", "1.5MiB", "64mib", "6_4MiB", "٣MiB",
      "9223372036854775808B", "9223372036854775807GiB", "1GiBx", "1s ", "2sec", "1d", "1S",
      "9223372036854775807h",
    ])
  func refused(_ text: String) {
    #expect(ByteCount(text) == nil)
    #expect(Milliseconds(text) == nil)
  }
}
