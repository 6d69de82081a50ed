import PGOutput
import Testing

@testable import ChangeLog

@Suite("Segments")
struct SegmentTests {
  /// A log of many small segments; the records it holds.
  static func rolled(_ directory: TemporaryDirectory, groups: Int = 12) throws -> [UInt8] {
    let writer = try directory.open(segmentBytes: 700)
    var expected: [UInt8] = []
    let group = RecordGroup()
    for step in 0..<groups {
      group.removeAll()
      group.addTransaction(
        end: 0x2000 + UInt64(step) * 0x100, changes: 3, relation: step % 5 == 0 ? 16384 + UInt32(step) : nil)
      expected += group.contents
      try writer.append(group)
      try writer.sync()
    }
    return expected
  }

  @Test("segments roll at transaction boundaries, are chained, and read as one")
  func roll() throws {
    let directory = try TemporaryDirectory()
    let expected = try Self.rolled(directory)
    #expect(directory.segments.count > 3)
    #expect(try difference(directory.read().bytes, expected) == nil)
    let report = try LogVerifier.verify(directory: directory.path)
    #expect(report.problems == [])
    #expect(report.segments == directory.segments.count)
    #expect(report.counts.transactions == 12)
    #expect(report.counts.changes == 36)
    #expect(report.end == LSN(rawValue: 0x2B00))
    #expect(report.unfinishedBytes == 0)
  }

  @Test("a transaction never spans two segments, however large it is")
  func oneSegmentPerTransaction() throws {
    let directory = try TemporaryDirectory()
    let writer = try directory.open(segmentBytes: 200)
    let group = RecordGroup()
    group.addTransaction(end: 0x2000)
    try writer.append(group)
    for part in 0..<10 {
      group.removeAll()
      if part == 0 { group.add(Payload.begin(finalLSN: 0x2FF8)) }
      group.add(Payload.insert(1, text: RecordGroup.text(UInt64(part), 200)))
      if part == 9 { group.add(Payload.commit(lsn: 0x2FF8, end: 0x3000)) }
      try writer.append(group)
    }
    group.removeAll()
    group.addTransaction(end: 0x4000)
    try writer.append(group)
    try writer.sync()
    #expect(directory.segments == ["0000000000001000.lz4", "0000000000002000.lz4", "0000000000003000.lz4"])
  }

  @Test("a segment of many small frames is sealed before it is large: looking for a place in it stays quick")
  func sealedByFrames() throws {
    let directory = try TemporaryDirectory()
    var options = ChangeLogWriter.Options()
    options.segmentFrames = 5
    let writer = try ChangeLogWriter.open(
      directory: directory.path, origin: .example, start: .exampleStart, options: options)
    let group = RecordGroup()
    for step in 0..<12 {
      group.removeAll()
      group.addTransaction(end: 0x2000 + UInt64(step) * 0x100)
      try writer.append(group)
    }
    try writer.sync()
    #expect(directory.segments == ["0000000000001000.lz4", "0000000000002400.lz4", "0000000000002900.lz4"])
    #expect(try LogVerifier.verify(directory: directory.path).counts.transactions == 12)
  }

  @Test("every segment is an lz4 file that prints exactly its records")
  func lz4CommandLine() throws {
    let directory = try TemporaryDirectory()
    let expected = try Self.rolled(directory)
    var printed: [UInt8] = []
    for name in directory.segments {
      let file = "\(directory.path)/\(name)"
      #expect(try run(["lz4", "-t", "-q", file]) == 0)
      #expect(try run(["lz4", "-dcq", file], output: "\(directory.path)/out") == 0)
      printed += try directory.contents("out")
    }
    // Segments after the first repeat relations at their heads: the same records with walStart 0 before a Begin.
    var records: [[UInt8]] = []
    try printed.withUnsafeBytes { bytes in
      var iterator = LogRecordIterator(bytes)
      var inside = false
      while let record = try iterator.next() {
        if record.payload[0] == UInt8(ascii: "B") { inside = true }
        if inside { records.append([UInt8](bytes[record.offset..<iterator.offset])) }
        if record.payload[0] == UInt8(ascii: "C") { inside = false }
      }
    }
    #expect(records.flatMap(\.self) == expected)
    #expect(printed.count > expected.count)
  }

  @Test("each header holds the SHA-256 of the file before, as sha256sum prints it")
  func chain() throws {
    let directory = try TemporaryDirectory()
    _ = try Self.rolled(directory)
    var previous = SegmentDigest.none.description
    for name in directory.segments {
      let file = try LogFile(path: "\(directory.path)/\(name)", mode: .read)
      #expect(try SegmentScanner.header(of: file).previous.description == previous)
      #expect(try run(["sha256sum", "-b", file.path], output: "\(directory.path)/out") == 0)
      previous = String(decoding: try directory.contents("out").prefix(64), as: UTF8.self)
    }
  }

  @Test("any byte changed in a sealed segment is found")
  func tampering() throws {
    let directory = try TemporaryDirectory()
    _ = try Self.rolled(directory, groups: 5)
    let name = directory.segments[0]
    let sound = try directory.contents(name)
    for offset in sound.indices {
      var bytes = sound
      bytes[offset] ^= 0x80
      try directory.write(bytes, to: name)
      #expect(!(try LogVerifier.verify(directory: directory.path).problems.isEmpty), "byte \(offset)")
    }
    // A whole other segment, sound in itself, breaks the chain.
    let other = try TemporaryDirectory()
    let writer = try other.open(segmentBytes: 1)
    let group = RecordGroup()
    let next = try #require(LogDirectory.start(directory.segments[1]))
    group.addTransaction(end: next.rawValue)
    try writer.append(group)
    group.removeAll()
    group.addTransaction(end: next.rawValue + 0x100)
    try writer.append(group)
    try directory.write(try other.contents(name), to: name)
    let problems = try LogVerifier.verify(directory: directory.path).problems
    #expect(problems.map(\.reason) == ["the segment before is not the one that was sealed"])
  }

  @Test("a writer opened between seal and new segment makes the new one")
  func crashBetweenSealAndNext() throws {
    let directory = try TemporaryDirectory()
    let expected = try Self.rolled(directory, groups: 5)
    let names = directory.segments
    let first = try directory.contents(names[0])
    let crashed = try TemporaryDirectory()
    try crashed.write(first, to: names[0])
    let writer = try crashed.open(segmentBytes: 700)
    #expect(crashed.segments == [names[0], names[1]])
    let group = RecordGroup()
    group.addTransaction(end: 0x9000)
    try writer.append(group)
    try writer.sync()
    let read = try crashed.read().bytes
    #expect(expected.starts(with: read.dropLast(group.byteCount)))
    #expect(try LogVerifier.verify(directory: crashed.path).problems.isEmpty)
  }
}
