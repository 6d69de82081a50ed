import PGOutput
import Testing

@testable import DualWrite

@Suite("Which checkpoint is durable") struct DurableCheckpointTests {
  private func note(_ value: inout DurableCheckpoint, _ end: UInt64, _ inserted: UInt64, _ flushed: UInt64)
    -> UInt64?
  {
    value.note(
      LSN(rawValue: end), inserted: LSN(rawValue: inserted), flushed: LSN(rawValue: flushed))
    return value.end?.rawValue
  }

  @Test(
    "one whose commit is flushed is; one that is only seen is not, until the flush has passed where it was seen"
  )
  func flushed() {
    var value = DurableCheckpoint()
    #expect(note(&value, 10, 100, 90) == nil)
    #expect(!value.isSettled(at: LSN(rawValue: 10)))
    #expect(note(&value, 10, 100, 99) == nil)
    #expect(note(&value, 10, 100, 100) == 10)
    #expect(value.isSettled(at: LSN(rawValue: 10)))
    #expect(!value.isSettled(at: LSN(rawValue: 11)))
  }

  @Test("under a load, where the flush is always behind, the first that was seen follows, then the next")
  func behind() {
    var value = DurableCheckpoint()
    #expect(note(&value, 10, 100, 90) == nil)
    #expect(note(&value, 20, 200, 150) == 10)
    #expect(note(&value, 30, 300, 199) == 10)
    #expect(note(&value, 40, 400, 290) == 20)
  }

  @Test("a flush that has caught up settles what is seen now, whatever was waited for")
  func caughtUp() {
    var value = DurableCheckpoint()
    #expect(note(&value, 10, 100, 90) == nil)
    #expect(note(&value, 20, 200, 200) == 20)
    #expect(note(&value, 20, 250, 210) == 20)
  }
}
