import PGOutput
import Testing

@testable import ChangeLog

@Suite("Writing and reading")
struct RoundTripTests {
  @Test("what was appended comes back, in order and whole")
  func roundTrip() throws {
    let directory = try TemporaryDirectory()
    let writer = try directory.open()
    var expected: [UInt8] = []
    let group = RecordGroup()
    for step in 1...20 {
      group.removeAll()
      for part in 0..<5 {
        group.addTransaction(
          end: 0x1000 + UInt64(step * 1000 + part * 100), changes: part + 1, relation: 16384)
      }
      expected += group.contents
      try writer.append(group)
      try writer.sync()
    }
    #expect(writer.end == LSN(rawValue: 0x1000 + 20_400))
    #expect(writer.watermark == writer.end)
    let read = try directory.read()
    #expect(difference(read.bytes, expected) == nil)
    #expect(read.ends.last == writer.end)
  }

  @Test("opening an existing log goes on where it ended")
  func reopen() throws {
    let directory = try TemporaryDirectory()
    let group = RecordGroup()
    group.addTransaction(end: 0x2000)
    do {
      let writer = try directory.open()
      try writer.append(group)
      try writer.sync()
    }
    let writer = try directory.open()
    #expect(writer.end == LSN(rawValue: 0x2000))
    #expect(writer.recovery == nil)
    let next = RecordGroup()
    next.addTransaction(end: 0x3000)
    try writer.append(next)
    try writer.sync()
    #expect(try difference(directory.read().bytes, group.contents + next.contents) == nil)
  }

  @Test("a transaction over many groups is read only when it is whole")
  func largeTransaction() throws {
    let directory = try TemporaryDirectory()
    let writer = try directory.open()
    let first = RecordGroup()
    first.addTransaction(end: 0x2000)
    first.add(Payload.begin(finalLSN: 0x2FF8))
    first.add(Payload.insert(1, text: [1, 2, 3]))
    try writer.append(first)
    try writer.sync()
    let wholePart = RecordGroup()
    wholePart.addTransaction(end: 0x2000)
    #expect(try difference(directory.read().bytes, wholePart.contents) == nil)
    #expect(writer.end == LSN(rawValue: 0x2000))
    let middle = RecordGroup()
    middle.add(Payload.insert(1, text: [4]))
    try writer.append(middle)
    let last = RecordGroup()
    last.add(Payload.commit(lsn: 0x2FF8, end: 0x3000))
    try writer.append(last)
    try writer.sync()
    #expect(try difference(directory.read().bytes, first.contents + middle.contents + last.contents) == nil)
    #expect(writer.end == LSN(rawValue: 0x3000))
  }

  @Test("a partial transaction is discarded and can be sent again")
  func discard() throws {
    let directory = try TemporaryDirectory()
    let writer = try directory.open()
    let group = RecordGroup()
    group.addTransaction(end: 0x2000)
    group.add(Payload.begin(finalLSN: 0x2FF8))
    try writer.append(group)
    try writer.sync()
    #expect(writer.isInsideTransaction)
    try writer.discardPartialTransaction()
    #expect(!writer.isInsideTransaction)
    let again = RecordGroup()
    again.addTransaction(end: 0x3000)
    try writer.append(again)
    try writer.sync()
    let whole = RecordGroup()
    whole.addTransaction(end: 0x2000)
    #expect(try difference(directory.read().bytes, whole.contents + again.contents) == nil)
  }

  @Test("a watermark advances what may be confirmed, and survives opening")
  func watermark() throws {
    let directory = try TemporaryDirectory()
    do {
      let writer = try directory.open()
      try writer.mark(watermark: LSN(rawValue: 0x5000))
      #expect(writer.watermark == .exampleStart)
      #expect(try writer.sync() == LSN(rawValue: 0x5000))
    }
    let writer = try directory.open()
    #expect(writer.watermark == LSN(rawValue: 0x5000))
    #expect(writer.end == .exampleStart)
    let summary = try #require(try ChangeLogWriter.inspect(directory: directory.path))
    #expect(summary.watermark == LSN(rawValue: 0x5000))
    #expect(summary.end == .exampleStart)
    #expect(summary.origin == .example)
  }
}
