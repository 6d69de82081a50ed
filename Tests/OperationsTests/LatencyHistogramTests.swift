import Operations
import Testing

@Suite("A latency histogram")
struct LatencyHistogramTests {
  @Test("without values has none to show")
  func empty() {
    let histogram = LatencyHistogram()
    #expect(histogram.p50 == nil)
    #expect(histogram.mean == nil)
    #expect(histogram.maximum == 0)
  }

  @Test("counts values below 128 exactly")
  func exact() {
    var histogram = LatencyHistogram()
    for value in 0..<UInt64(128) { histogram.record(microseconds: value) }
    #expect(histogram.count == 128)
    #expect(histogram.minimum == 0)
    #expect(histogram.maximum == 127)
    #expect(histogram.p50 == 63)
    #expect(histogram.percentile(0) == 0)
    #expect(histogram.percentile(100) == 127)
    #expect(histogram.mean == 63.5)
  }

  @Test("never reads below the truth, and at most 1.6 % above it", arguments: 1...39)
  func precision(_ power: Int) {
    let edge = UInt64(1) << UInt64(power)
    for value in [edge - 1, edge, edge + 1, edge + edge / 2] {
      var histogram = LatencyHistogram()
      histogram.record(microseconds: value)
      histogram.record(microseconds: LatencyHistogram.maximumValue)
      let read = histogram.percentile(50) ?? 0
      #expect(read >= value)
      #expect(Double(read) <= Double(value) * 1.016)
    }
  }

  @Test("gives the percentiles of a known spread")
  func percentiles() throws {
    var histogram = LatencyHistogram()
    for value in 1...UInt64(10_000) { histogram.record(microseconds: value) }
    for (percent, truth) in [(50.0, 5_000.0), (90, 9_000), (99, 9_900), (99.9, 9_990)] {
      let read = Double(try #require(histogram.percentile(percent)))
      #expect(read >= truth && read <= truth * 1.016)
    }
    #expect(histogram.percentile(100) == 10_000)
    #expect(histogram.percentile(.nan) == 10_000)
    #expect(histogram.percentile(-5) == 1)
  }

  @Test("holds what is too large in its last bucket, and its maximum exactly")
  func overflow() {
    var histogram = LatencyHistogram()
    histogram.record(microseconds: .max)
    histogram.record(.seconds(Int64.max))
    #expect(histogram.maximum == .max)
    #expect(histogram.p99 == .max)
  }

  @Test("records durations in whole microseconds")
  func durations() {
    var histogram = LatencyHistogram()
    histogram.record(.nanoseconds(1_999))
    histogram.record(.milliseconds(-5))
    #expect(histogram.maximum == 1)
    #expect(histogram.minimum == 0)
  }

  @Test("merged is the same as recorded in one")
  func merge() {
    var a = LatencyHistogram()
    var b = LatencyHistogram()
    var both = LatencyHistogram()
    var random = SystemRandomNumberGenerator()
    for index in 0..<2_000 {
      let value = UInt64.random(in: 0...1_000_000, using: &random)
      if index.isMultiple(of: 3) { a.record(microseconds: value) } else { b.record(microseconds: value) }
      both.record(microseconds: value)
    }
    a.merge(b)
    a.merge(LatencyHistogram())
    #expect(a == both)
  }
}
