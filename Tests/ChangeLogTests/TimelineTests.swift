import PGOutput
import Synchronization
import Testing

@testable import ChangeLog

@Suite("A log whose source is promoted while it is written")
struct TimelineTests {
  @Test("goes on in a new segment of the new timeline, with what was appended durable first")
  func newSegment() throws {
    let directory = try TemporaryDirectory()
    let writer = try directory.open()
    let group = RecordGroup()
    group.addTransaction(end: 0x2000)
    try writer.append(group)
    try writer.advance(timeline: 3)
    #expect(writer.watermark == LSN(rawValue: 0x2000))
    #expect(writer.origin.timeline == 3)
    #expect(writer.origin.creationPoint == OriginIdentity.example.creationPoint)
    #expect(directory.segments == ["0000000000001000.lz4", "0000000000002000.lz4"])
    try writer.advance(timeline: 3)
    #expect(directory.segments.count == 2)

    let more = RecordGroup()
    more.addTransaction(end: 0x3000)
    try writer.append(more)
    try writer.sync()
    let summary = try #require(try ChangeLogWriter.inspect(directory: directory.path))
    #expect(summary.origin.timeline == 3 && summary.end == LSN(rawValue: 0x3000))
    #expect(try LogVerifier.verify(directory: directory.path).problems.isEmpty)
  }

  @Test("an older timeline and an open transaction are refused, and nothing is changed")
  func refused() throws {
    let directory = try TemporaryDirectory()
    var origin = OriginIdentity.example
    origin.timeline = 4
    let writer = try ChangeLogWriter.open(directory: directory.path, origin: origin, start: .exampleStart)
    #expect(
      throws: ChangeLogError.originMismatch(field: .timeline, held: "4", given: "3")
    ) { try writer.advance(timeline: 3) }
    let group = RecordGroup()
    group.add(Payload.begin(finalLSN: 0x2000))
    try writer.append(group)
    #expect(throws: ChangeLogError.outOfStep(reason: "a new timeline inside a transaction")) {
      try writer.advance(timeline: 5)
    }
    try writer.discardPartialTransaction()
    try writer.advance(timeline: 5)
    #expect(writer.origin.timeline == 5)
  }

  @Test(
    "readers follow it through every promotion, also where two have nothing between them",
    arguments: [0, 600, 8 << 20])
  func readers(capacity: Int) throws {
    let directory = try TemporaryDirectory()
    let tail = LogTail(capacity: capacity)
    let writer = try directory.open(segmentBytes: 4_000, tail: tail)
    let end = LSN(rawValue: 0x2000 + 199 * 0x1000)
    // The first two get it in memory where they keep up; the third follows the files alone.
    let readers = try (0..<3).map { number in
      let reader = try LogReader(
        directory: directory.path, after: .exampleStart, tail: number == 2 ? nil : tail)
      return TailTests.follow(reader, until: end, pause: number == 1 ? 200 : 0)
    }
    var expected: [UInt8] = []
    for step in 0..<200 {
      let group = RecordGroup()
      group.addTransaction(end: UInt64(0x2000 + step * 0x1000), relation: UInt32(step % 3))
      expected += group.contents
      if step % 7 == 0 { try writer.advance(timeline: writer.origin.timeline + 1) }
      // Empty until now: it is replaced, under the eyes of those who read it.
      if step % 14 == 0 { try writer.advance(timeline: writer.origin.timeline + 1) }
      try writer.append(group)
      try writer.sync()
    }
    for (received, thread) in readers {
      thread.join()
      received.content.withLock { content in
        #expect(content.failure == nil)
        #expect(difference(content.bytes, expected) == nil)
      }
    }
    #expect(try LogVerifier.verify(directory: directory.path).problems.isEmpty)
  }
}
