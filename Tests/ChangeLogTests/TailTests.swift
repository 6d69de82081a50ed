import Glibc
import PGOutput
import Synchronization
import Testing

@testable import ChangeLog

@Suite("The live tail")
struct TailTests {
  /// What a reader on its own thread got.
  final class Received: Sendable {
    struct Content {
      var bytes: [UInt8] = []
      var failure: ChangeLogError?
    }
    let content = Mutex(Content())
  }

  static func follow(_ reader: LogReader, until end: LSN, pause: UInt32 = 0) -> (Received, TestThread) {
    let received = Received()
    let thread = TestThread {
      do throws(ChangeLogError) {
        let deadline = ContinuousClock.now + .seconds(60)
        while reader.position < end, ContinuousClock.now < deadline {
          guard let chunk = try reader.next(timeout: .seconds(1)) else { continue }
          if !chunk.isRelations {
            received.content.withLock { store in chunk.withUnsafeBytes { store.bytes += $0 } }
          }
          if pause > 0 { usleep(pause) }
        }
      } catch {
        received.content.withLock { $0.failure = error }
      }
    }
    return (received, thread)
  }

  @Test(
    "several readers on their own threads get everything in order, in memory and from files",
    arguments: [0, 2_000, 8 << 20])
  func concurrent(capacity: Int) throws {
    let directory = try TemporaryDirectory()
    let tail = LogTail(capacity: capacity)
    let writer = try directory.open(segmentBytes: 20_000, tail: tail)
    let end = LSN(rawValue: 0x2000 + 499 * 0x1000)
    let readers = try (0..<4).map { number in
      // The last one follows the files alone; the third is slow, so that it falls behind the ring.
      let reader = try LogReader(
        directory: directory.path, after: .exampleStart, tail: number == 3 ? nil : tail)
      return Self.follow(reader, until: end, pause: number == 2 ? 300 : 0)
    }
    let expected = try ReaderTests.varied(writer, count: 500).flatMap(\.records)
    #expect(directory.segments.count > 2)
    for (received, thread) in readers {
      thread.join()
      received.content.withLock { content in
        #expect(content.failure == nil)
        #expect(difference(content.bytes, expected) == nil)
      }
    }
  }

  @Test("the first frame of a segment is not handed over while its transaction is not complete")
  func rolledInside() throws {
    let directory = try TemporaryDirectory()
    let tail = LogTail()
    let writer = try directory.open(segmentBytes: 100, tail: tail)
    let reader = try LogReader(directory: directory.path, after: .exampleStart, tail: tail)
    let group = RecordGroup()
    group.addTransaction(end: 0x2000, relation: 16384)
    var expected = group.contents
    try writer.append(group)
    try writer.sync()
    var received: [UInt8] = []
    func read() throws {
      while let chunk = try reader.next(timeout: .milliseconds(10)) {
        if !chunk.isRelations { chunk.withUnsafeBytes { received += $0 } }
      }
    }
    try read()
    #expect(difference(received, expected) == nil)
    // The segment is full: this begins the next one, and is made durable before its end has come.
    group.removeAll()
    group.add(Payload.begin(finalLSN: 0x2FF8))
    try writer.append(group)
    try writer.sync()
    #expect(directory.segments.count == 2)
    try read()
    #expect(difference(received, expected) == nil)
    try writer.discardPartialTransaction()
    group.removeAll()
    group.addTransaction(end: 0x4000, changes: 5)
    expected += group.contents
    try writer.append(group)
    try writer.sync()
    try read()
    #expect(difference(received, expected) == nil)
    #expect(reader.position == LSN(rawValue: 0x4000))
  }

  @Test("what is written but not durable is not handed over")
  func onlyDurable() throws {
    let directory = try TemporaryDirectory()
    let tail = LogTail()
    let writer = try directory.open(tail: tail)
    let reader = try LogReader(directory: directory.path, after: .exampleStart, tail: tail)
    let group = RecordGroup()
    group.addTransaction(end: 0x2000)
    try writer.append(group)
    #expect(try reader.next(timeout: .milliseconds(20)) == nil)
    #expect(tail.durable?.end == .exampleStart)
    try writer.sync()
    #expect(tail.durable?.end == LSN(rawValue: 0x2000))
    #expect(try difference(drain(reader).bytes, group.contents) == nil)
  }

  @Test("a discarded transaction is never handed over, its repetition once")
  func discarded() throws {
    let directory = try TemporaryDirectory()
    let tail = LogTail()
    let writer = try directory.open(tail: tail)
    let reader = try LogReader(directory: directory.path, after: .exampleStart, tail: tail)
    let group = RecordGroup()
    group.addTransaction(end: 0x2000)
    let whole = group.contents
    group.add(Payload.begin(finalLSN: 0x2FF8))
    try writer.append(group)
    try writer.sync()
    #expect(try difference(drain(reader).bytes, whole) == nil)
    try writer.discardPartialTransaction()
    group.removeAll()
    group.addTransaction(end: 0x3000)
    try writer.append(group)
    try writer.sync()
    #expect(try difference(drain(reader).bytes, group.contents) == nil)
  }

  @Test("what replaces a longer discarded transaction is synced and handed over like any other")
  func shorterThanDiscarded() throws {
    let directory = try TemporaryDirectory()
    let tail = LogTail()
    let faults = Faults()
    let writer = try directory.open(tail: tail, calls: faults.calls)
    let reader = try LogReader(directory: directory.path, after: .exampleStart, tail: tail)
    let group = RecordGroup()
    group.add(Payload.begin(finalLSN: 0x1FF8))
    group.add(Payload.insert(1, text: RecordGroup.text(1, 5000)))
    try writer.append(group)
    try writer.sync()
    try writer.discardPartialTransaction()
    group.removeAll()
    group.addTransaction(end: 0x3000)
    try writer.append(group)
    #expect(try reader.next(timeout: .zero) == nil)
    #expect(try writer.sync() == LSN(rawValue: 0x3000))
    #expect(try difference(drain(reader).bytes, group.contents) == nil)
    #expect(try LogVerifier.verify(directory: directory.path).problems.isEmpty)
    group.removeAll()
    group.addTransaction(end: 0x4000)
    try writer.append(group)
    faults.plan.withLock { $0.syncFails = true }
    #expect(throws: ChangeLogError.self) { try writer.sync() }
  }

  @Test("frames of a writer that failed are not handed over by the next one with the same tail")
  func failedWriter() throws {
    let directory = try TemporaryDirectory()
    let tail = LogTail()
    var writer: ChangeLogWriter? = try directory.open(tail: tail)
    let reader = try LogReader(directory: directory.path, after: .exampleStart, tail: tail)
    let group = RecordGroup()
    group.addTransaction(end: 0x2000, changes: 1)
    try writer?.append(group)
    writer = nil
    // What was not synced is lost, as in a crash of the machine.
    let name = directory.segments[0]
    let header = SegmentHeader(origin: .example, start: .exampleStart, previous: .none).frameSize
    try directory.write(Array(directory.contents(name)[..<header]), to: name)
    let next = try directory.open(tail: tail)
    group.removeAll()
    group.addTransaction(end: 0x3000, changes: 2)
    try next.append(group)
    try next.sync()
    #expect(try difference(drain(reader).bytes, group.contents) == nil)
  }

  @Test("wake lets a waiting reader return, and close ends it after what there is")
  func wakeAndClose() throws {
    let directory = try TemporaryDirectory()
    let tail = LogTail()
    let writer = try directory.open(tail: tail)
    let reader = try LogReader(directory: directory.path, after: .exampleStart, tail: tail)
    let woken = Received()
    let thread = TestThread {
      let chunk = try? reader.next(timeout: .seconds(3600))
      woken.content.withLock { $0.bytes = chunk == nil ? [1] : [] }
    }
    let waker = TestThread {
      for _ in 0..<10_000 where woken.content.withLock({ $0.bytes.isEmpty }) {
        tail.wake()
        usleep(500)
      }
    }
    thread.join()
    waker.join()
    #expect(woken.content.withLock { $0.bytes } == [1])
    let group = RecordGroup()
    group.addTransaction(end: 0x2000)
    try writer.append(group)
    try writer.sync()
    tail.close()
    #expect(try difference(drain(reader).bytes, group.contents) == nil)
    #expect(try reader.next(timeout: .seconds(3600)) == nil)
    #expect(tail.isClosed)
  }

  @Test("a watermark moves the position of a reader that has nothing to read")
  func watermark() throws {
    let directory = try TemporaryDirectory()
    let tail = LogTail()
    let writer = try directory.open(tail: tail)
    let readers = [
      try LogReader(directory: directory.path, after: .exampleStart, tail: tail),
      try LogReader(directory: directory.path, after: .exampleStart),
    ]
    try writer.mark(watermark: LSN(rawValue: 0x9000))
    try writer.sync()
    for reader in readers {
      #expect(try reader.next(timeout: .zero) == nil)
      #expect(reader.position == LSN(rawValue: 0x9000))
    }
    #expect(tail.wait(after: .exampleStart, timeout: .zero)?.watermark == LSN(rawValue: 0x9000))
  }

  @Test("the ring keeps to its bound")
  func bound() throws {
    var ring = TailRing()
    var cursor = LogCursor(segment: .exampleStart, offset: 0)
    let payload = [UInt8](repeating: 1, count: 1000)
    for _ in 0..<1000 {
      let next = LogCursor(segment: .exampleStart, offset: cursor.offset + 1)
      let bytes = payload.withUnsafeBytes { LogBytes(copying: $0) }
      ring.append(
        TailRing.Entry(from: cursor, to: next, announcement: Announcement(), bytes: bytes), capacity: 10_000)
      #expect(ring.cost <= 10_000)
      #expect(ring.entry(after: cursor)?.to == next)
      cursor = next
    }
    #expect(ring.count == 7)
    #expect(ring.entry(after: LogCursor(segment: .exampleStart, offset: 900)) == nil)
  }
}
