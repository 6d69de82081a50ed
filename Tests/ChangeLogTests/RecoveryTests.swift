import PGOutput
import Testing

@testable import ChangeLog

@Suite("Recovery")
struct RecoveryTests {
  /// A log of one segment as bytes, and what stands at the end of each of its frames.
  struct Specimen {
    var name = ""
    var bytes: [UInt8] = []
    var headerEnd = 0
    /// File length after each frame, and the records of whole transactions up to there.
    var steps: [(length: Int, records: [UInt8])] = []

    func whole(at length: Int) -> [UInt8] { steps.last { $0.length <= length }?.records ?? [] }
  }

  /// Three synced groups, one that ends in an open transaction, and more of that transaction.
  static func specimen() throws -> Specimen {
    let directory = try TemporaryDirectory()
    let writer = try directory.open()
    var specimen = Specimen()
    specimen.headerEnd = Int(writer.current.offset)
    var records: [UInt8] = []
    let group = RecordGroup()
    for step: UInt64 in 1...3 {
      group.removeAll()
      group.addTransaction(end: 0x1000 + step * 0x1000, changes: 2, relation: 16384)
      try writer.append(group)
      try writer.sync()
      records += group.contents
      specimen.steps.append((Int(writer.current.offset), records))
    }
    try writer.mark(watermark: LSN(rawValue: 0x4800))
    try writer.sync()
    specimen.steps.append((Int(writer.current.offset), records))
    group.removeAll()
    group.addTransaction(end: 0x5000)
    records += group.contents
    group.add(Payload.begin(finalLSN: 0x5FF8))
    group.add(Payload.insert(16384, text: RecordGroup.text(5, 30)))
    try writer.append(group)
    specimen.steps.append((Int(writer.boundary.offset), records))
    group.removeAll()
    group.add(Payload.insert(16384, text: RecordGroup.text(6, 30)))
    try writer.append(group)
    specimen.name = try #require(directory.segments.first)
    specimen.bytes = try directory.contents(specimen.name)
    return specimen
  }

  @Test("a tail torn at any byte is cut back to the last whole transaction", arguments: [false, true])
  func tornAnywhere(zeroed: Bool) throws {
    let specimen = try Self.specimen()
    let directory = try TemporaryDirectory()
    for length in specimen.headerEnd...specimen.bytes.count {
      var torn = Array(specimen.bytes[..<length])
      if zeroed { torn += [UInt8](repeating: 0, count: specimen.bytes.count - length) }
      try directory.write(torn, to: specimen.name)
      let writer = try directory.open()
      let expected = specimen.whole(at: length)
      #expect(try difference(directory.read().bytes, expected) == nil, "cut at \(length)")
      let standing = specimen.steps.last { $0.length <= length }?.length ?? specimen.headerEnd
      #expect(writer.recovery?.bytesCut ?? 0 == UInt64(torn.count - standing), "cut at \(length)")
      #expect(try directory.contents(specimen.name).count == standing)
      // It goes on: what was lost comes again.
      let next = RecordGroup()
      next.addTransaction(end: 0x9000)
      try writer.append(next)
      try writer.sync()
      #expect(try difference(directory.read().bytes, expected + next.contents) == nil)
    }
  }

  @Test("the report names segment, position, bytes and reason")
  func report() throws {
    let specimen = try Self.specimen()
    let directory = try TemporaryDirectory()
    try directory.write(specimen.bytes, to: specimen.name)
    let whole = try #require(specimen.steps.last)
    var report = try #require(try directory.open().recovery)
    #expect(report.reason == .unfinishedTransaction)
    #expect(report.position == LSN(rawValue: 0x5000))
    #expect(report.offset == UInt64(whole.length))
    try directory.write(Array(specimen.bytes[..<(whole.length - 1)]), to: specimen.name)
    report = try #require(try directory.open().recovery)
    #expect(report.reason == .tornFrame)
    #expect(report.position == LSN(rawValue: 0x4000))
    #expect(report.segment == "\(directory.path)/\(specimen.name)")
  }

  @Test("any byte changed before what was durable is an error that names the frame")
  func damageInTheMiddle() throws {
    let specimen = try Self.specimen()
    let directory = try TemporaryDirectory()
    // The last frame's announcement says that all before it was on disk up to the watermark.
    let durable = specimen.steps[3].length
    var frame = specimen.headerEnd
    for offset in specimen.headerEnd..<durable {
      if let end = specimen.steps.first(where: { $0.length == offset }) { frame = end.length }
      var damaged = specimen.bytes
      damaged[offset] ^= 0x10
      try directory.write(damaged, to: specimen.name)
      let error = #expect(throws: ChangeLogError.self) { try directory.open() }
      guard case .damaged(let file, let at, _)? = error else {
        Issue.record("byte \(offset): \(String(describing: error))")
        continue
      }
      #expect(at == UInt64(frame), "byte \(offset)")
      #expect(file.hasSuffix(specimen.name))
      #expect(try directory.contents(specimen.name) == damaged)
    }
  }

  @Test("any byte changed in the header is an error")
  func damagedHeader() throws {
    let specimen = try Self.specimen()
    let directory = try TemporaryDirectory()
    for offset in 0..<specimen.headerEnd {
      var damaged = specimen.bytes
      damaged[offset] ^= 0x01
      try directory.write(damaged, to: specimen.name)
      #expect(throws: ChangeLogError.self, "byte \(offset)") { try directory.open() }
    }
  }

  @Test("a hole in what was never synced is cut, though sound frames follow it")
  func holeInUnsynced() throws {
    let directory = try TemporaryDirectory()
    let group = RecordGroup()
    group.addTransaction(end: 0x2000)
    let first = group.contents
    var hole = 0..<0
    do {
      let writer = try directory.open()
      try writer.append(group)
      try writer.sync()
      let start = Int(writer.current.offset)
      for end: UInt64 in [0x3000, 0x4000] {
        group.removeAll()
        group.addTransaction(end: end)
        try writer.append(group)
        if hole.isEmpty { hole = start..<Int(writer.current.offset) }
      }
    }
    let name = try #require(directory.segments.first)
    var bytes = try directory.contents(name)
    bytes.replaceSubrange(hole, with: [UInt8](repeating: 0, count: hole.count))
    try directory.write(bytes, to: name)
    let writer = try directory.open()
    #expect(writer.end == LSN(rawValue: 0x2000))
    #expect(writer.recovery?.reason == .tornFrame)
    #expect(try difference(directory.read().bytes, first) == nil)
  }

  @Test(
    "an unknown format version is refused by writer, reader and verifier: its number, and the one that is known"
  )
  func unknownVersion() async throws {
    let specimen = try Self.specimen()
    let directory = try TemporaryDirectory()
    var bytes = specimen.bytes
    bytes[8 + 11] = 9
    try directory.write(bytes, to: specimen.name)
    let error = #expect(throws: ChangeLogError.self) { try directory.open() }
    let path = "\(directory.path)/\(specimen.name)"
    #expect(error == .unknownVersion(file: path, version: 9))
    #expect(error?.description == "\(path) has format version 9; this program reads version 1")
    await #expect(throws: ChangeLogError.unknownVersion(file: path, version: 9)) {
      for try await _ in LogSource(directory: directory.path).transactions(follow: false) {}
    }
    let problems = try LogVerifier.verify(directory: directory.path).problems
    #expect(problems.map(\.reason) == ["it has format version 9, and this program reads version 1"])
    #expect(try directory.contents(specimen.name) == bytes)
  }

  @Test(
    "a torn last write is called damage that may be no more than that; what was once whole is damage alone"
  )
  func tornOrDamaged() async throws {
    let specimen = try Self.specimen()
    let directory = try TemporaryDirectory()
    func said() async throws -> [String] {
      var reasons = try LogVerifier.verify(directory: directory.path).problems.map(\.reason)
      do {
        for try await _ in LogSource(directory: directory.path).transactions(follow: false) {}
      } catch { reasons.append(error.reason) }
      return reasons
    }
    let sound = Array(specimen.bytes[..<specimen.steps[3].length])
    try directory.write(sound + [UInt8](repeating: 0, count: 700), to: specimen.name)
    let torn = "no frame of a change log starts here" + TornWrite.doubt
    #expect(try await said() == [torn, torn])
    #expect(try directory.open().recovery?.bytesCut == 700)
    #expect(try await said() == [])
    var damaged = sound
    damaged[specimen.steps[0].length + 10] ^= 1
    try directory.write(damaged, to: specimen.name)
    let reason = "the announcement's checksum does not match"
    #expect(try await said() == [reason, reason])
    #expect(throws: ChangeLogError.self) { try directory.open() }
  }

  @Test("a segment that was never finished is removed")
  func unfinishedSegment() throws {
    let directory = try TemporaryDirectory()
    _ = try directory.open()
    try directory.write([1, 2, 3], to: "0000000000002000.lz4.new")
    _ = try directory.open()
    #expect(directory.files == ["0000000000001000.lz4", "lock"])
  }
}
