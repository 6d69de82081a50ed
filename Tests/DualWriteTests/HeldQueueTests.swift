import Testing

@testable import DualWrite

@Suite("Standing in the queue for a locked row") struct HeldQueueTests {
  private let keys: [KeyBytes] = [[1], [2], [3]]
  private let start = ContinuousClock.now

  @Test("first after a second, then after twice as long each time, up to a minute; each row has its turn")
  func rarer() {
    var queue = HeldQueue()
    var tries: [(second: Int, key: KeyBytes)] = []
    for second in 0...200 {
      if let key = queue.next(of: keys, now: start + .seconds(second)) { tries.append((second, key)) }
    }
    #expect(tries.map(\.second) == [1, 3, 7, 15, 31, 63, 123, 183])
    #expect(Set(tries.prefix(3).map(\.key)).count == 3)
  }

  @Test("one that was had, and none that is left, begin anew")
  func anew() {
    var queue = HeldQueue()
    for second in 0...8 { _ = queue.next(of: keys, now: start + .seconds(second)) }
    queue.succeeded()
    #expect(queue.next(of: keys, now: start + .seconds(15)) != nil)
    #expect(queue.next(of: keys, now: start + .seconds(17)) != nil)
    #expect(queue.next(of: [], now: start + .seconds(18)) == nil)
    #expect(queue.next(of: keys, now: start + .seconds(100)) == nil)
    #expect(queue.next(of: keys, now: start + .seconds(101)) != nil)
  }

  @Test("it lasts four times as long as any other wait, and a second at most")
  func patience() {
    #expect([100, 1, 400, 3_600_000, 0, -5].map { HeldQueue.patience($0) } == [400, 4, 1_000, 1_000, 1, 1])
  }
}
