import LocalCluster
import Testing

@Suite("Latency histograms") struct LatencyHistogramTests {
  @Test("an empty one answers zero")
  func empty() {
    let histogram = LatencyHistogram()
    #expect(histogram.quantile_us(0.5) == 0)
    #expect(histogram.count == 0)
    #expect(histogram.max_us == 0)
  }

  @Test("every value is told to one part in 32, and never below itself")
  func precision() {
    var generator = SeededGenerator(seed: 7)
    for power in 0..<39 {
      for _ in 0..<50 {
        let value = UInt64.random(in: (1 << UInt64(power))..<(2 << UInt64(power)), using: &generator)
        var histogram = LatencyHistogram()
        histogram.record(value)
        histogram.record(UInt64.max)  // So that the maximum does not cap the answer.
        let told = histogram.quantile_us(0.5)
        #expect(told >= value && told <= value + value / 32, "\(value) was told as \(told)")
      }
    }
  }

  @Test("extremes are counted, not trapped on")
  func extremes() {
    var histogram = LatencyHistogram()
    histogram.record(0 as UInt64)
    histogram.record(UInt64.max)
    histogram.record(Duration.seconds(-1))
    histogram.record(Duration.seconds(Int64.max))
    #expect(histogram.count == 4)
    #expect(histogram.max_us == .max)
    #expect(histogram.quantile_us(0.5) == 0)
    #expect(histogram.quantile_us(1) == .max)
  }

  @Test("quantiles of 1...1000")
  func quantiles() {
    var histogram = LatencyHistogram()
    for value in 1...1000 { histogram.record(Duration.microseconds(value)) }
    #expect(histogram.quantile_us(0) == 1)
    #expect((500...515).contains(histogram.quantile_us(0.5)))
    #expect((990...1000).contains(histogram.quantile_us(0.99)))
    #expect(histogram.quantile_us(1) == 1000)
    #expect(histogram.max_us == 1000)
  }

  @Test("merging adds, and a difference gives back what was recorded since")
  func mergeAndSince() {
    var earlier = LatencyHistogram()
    for value in [3, 3, 9000] as [UInt64] { earlier.record(value) }
    var later = LatencyHistogram()
    for value in [5, 700] as [UInt64] { later.record(value) }
    var all = earlier
    all.merge(later)
    #expect(all.count == 5)
    #expect(all.max_us == 9000)
    let since = all.since(earlier)
    #expect(since.count == 2)
    #expect(since.quantile_us(0.5) == 5)
    #expect((700...722).contains(since.max_us))
  }
}
