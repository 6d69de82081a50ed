import Glibc
import PGOutput
import Testing

@testable import ChangeLog

/// Damage in the middle is named, or crossed with the gap marked: what is whole on both sides is given, nothing twice.
@Suite("A log walked change by change, over damage", .timeLimit(.minutes(1)))
struct LogWalkTests {
  /// Twelve transactions of a change each. The seventh has three, in frames of their own when the log is cut small.
  private func log(_ directory: TemporaryDirectory, segmentBytes: UInt64 = 64 << 20) throws -> [LSN] {
    let writer = try directory.open(segmentBytes: segmentBytes)
    var records = LedgerRecords(after: .exampleStart)
    var ends: [LSN] = []
    for number in 0..<12 {
      ends.append(
        try records.transaction(xid: UInt32(number)) { ledger in
          if number == 0 { ledger.describe(LedgerRecords.transactions) }
          for change in 0..<(number == 6 ? 3 : 1) { try ledger.insert(number * 10 + change, "AUTH") }
        })
      try writer.append(records)
    }
    return ends
  }

  private struct Walked {
    var positions: [Position] = []
    var gaps: [LogGap] = []
    var failure: ChangeLogError?

    var ends: [LSN] { positions.reduce(into: []) { if $0.last != $1.endLSN { $0.append($1.endLSN) } } }
  }

  private func walk(
    _ directory: TemporaryDirectory, after: Position? = nil, through: LSN? = nil, crossing: Bool = true
  ) -> Walked {
    let walk = LogWalk(
      LogSource(directory: directory.path), after: after, through: through, tables: ["public.transactions"],
      crossesDamage: crossing)
    var walked = Walked()
    do throws(ChangeLogError) {
      while let step = try walk.next() {
        switch step {
        case .change(let change): walked.positions.append(change.position)
        case .gap(let gap): walked.gaps.append(gap)
        }
      }
    } catch {
      walked.failure = error
    }
    return walked
  }

  /// Where the frames of the first segment stand.
  private func frames(_ directory: TemporaryDirectory, segment: Int = 0) throws -> (LogFile, [UInt64]) {
    let name = try #require(directory.segments.dropFirst(segment).first)
    let file = try LogFile(path: "\(directory.path)/\(name)", mode: .write)
    var scanner = try SegmentScanner(file: file, from: UInt64(SegmentScanner.header(of: file).frameSize))
    var offsets = [scanner.offset]
    while case .data = try scanner.next(verify: false) { offsets.append(scanner.offset) }
    return (file, offsets)
  }

  private func spoil(_ file: LogFile, at offset: UInt64) throws {
    try [UInt8(0x5A)].withUnsafeBytes { try file.write($0, at: offset) }
  }

  @Test("an undamaged log is walked whole, from any position to any")
  func sound() throws {
    let directory = try TemporaryDirectory()
    let ends = try log(directory, segmentBytes: 1_000)
    #expect(walk(directory).ends == ends)
    #expect(walk(directory).gaps == [])
    let middle = walk(
      directory, after: Position(endLSN: ends[6], ordinal: 0), through: LSN(rawValue: ends[9].rawValue + 1))
    #expect(
      middle.positions
        == [Position(endLSN: ends[6], ordinal: 1), Position(endLSN: ends[6], ordinal: 2)]
        + ends[7...9].map { Position(endLSN: $0, ordinal: 0) })
  }

  @Test("damaged data: refused, or a gap of just that transaction", arguments: [20, 80])
  func data(byte: UInt64) throws {
    let directory = try TemporaryDirectory()
    let ends = try log(directory, segmentBytes: 64 << 20)
    let (file, offsets) = try frames(directory)
    try spoil(file, at: offsets[5] + UInt64(Announcement.frameSize) + byte - 20)
    let refused = walk(directory, crossing: false)
    #expect(refused.ends == Array(ends[..<5]))
    guard case .damaged(file.path, offsets[5], _) = refused.failure else {
      Issue.record("\(String(describing: refused.failure))")
      return
    }
    let crossed = walk(directory)
    #expect(crossed.failure == nil)
    #expect(crossed.ends == Array(ends[..<5] + ends[6...]))
    let gap = try #require(crossed.gaps.first)
    #expect(crossed.gaps.count == 1)
    #expect(gap.after == Position(endLSN: ends[4]) && gap.next == ends[6])
    #expect(gap.file == file.path && gap.offset == offsets[5])
  }

  @Test("a gap before the range, or after it, is none")
  func outside() throws {
    let directory = try TemporaryDirectory()
    let ends = try log(directory)
    let (file, offsets) = try frames(directory)
    try spoil(file, at: offsets[8] + UInt64(Announcement.frameSize) + 9)
    let before = walk(directory, through: ends[7], crossing: false)
    #expect(before.ends == Array(ends[...7]) && before.failure == nil && before.gaps == [])
    let reaching = walk(directory, through: ends[8])
    #expect(reaching.ends == Array(ends[...7]))
    #expect(reaching.gaps.map(\.next) == [ends[9]])
  }

  @Test("a damaged announcement of an open segment: a description may be lost with it, so the rest of it is")
  func openSegment() throws {
    let directory = try TemporaryDirectory()
    let ends = try log(directory)
    let (file, offsets) = try frames(directory)
    try spoil(file, at: offsets[5] + 20)
    let crossed = walk(directory)
    #expect(crossed.failure == nil && crossed.ends == Array(ends[..<5]))
    #expect(crossed.gaps.map(\.next) == [nil])
    #expect(crossed.gaps.map(\.after) == [Position(endLSN: ends[4])])
  }

  @Test("a damaged announcement of a sealed segment: its index tells that no description is lost")
  func sealedSegment() throws {
    let directory = try TemporaryDirectory()
    let ends = try log(directory, segmentBytes: 1_000)
    try #require(directory.segments.count > 2)
    let (file, offsets) = try frames(directory, segment: 1)
    try #require(offsets.count > 3)
    try spoil(file, at: offsets[2] + 20)
    let crossed = walk(directory)
    #expect(crossed.failure == nil && crossed.gaps.count == 1)
    #expect(crossed.ends.count == ends.count - 1)
    let gap = try #require(crossed.gaps.first)
    let lost = try #require(ends.first { !crossed.ends.contains($0) })
    let index = try #require(ends.firstIndex(of: lost))
    #expect(gap.after == Position(endLSN: ends[index - 1]) && gap.next == ends[index + 1])
  }

  @Test("a description that is lost: nothing counts until the next segment's head repeats it")
  func description() throws {
    let directory = try TemporaryDirectory()
    let ends = try log(directory, segmentBytes: 1_000)
    let (file, offsets) = try frames(directory)
    try spoil(file, at: offsets[0] + UInt64(Announcement.frameSize) + 9)
    let crossed = walk(directory)
    let second = try #require(LogDirectory(path: directory.path).segments().dropFirst().first)
    #expect(crossed.failure == nil && crossed.ends == ends.filter { $0 > second })
    #expect(crossed.gaps.map(\.after) == [Position(endLSN: .exampleStart)])
    #expect(crossed.gaps.map(\.next) == [ends.first { $0 > second }])
  }

  @Test("a missing segment is damage, named; crossed, a gap as long as the segment")
  func missing() throws {
    let directory = try TemporaryDirectory()
    let ends = try log(directory, segmentBytes: 1_000)
    let segments = try LogDirectory(path: directory.path).segments()
    try #require(segments.count > 2)
    unlink(LogDirectory(path: directory.path).segmentPath(segments[1]))
    let refused = walk(directory, crossing: false)
    #expect(refused.ends == ends.filter { $0 <= segments[1] })
    guard case .damaged(let file, 0, "the segment is missing, but another follows") = refused.failure else {
      Issue.record("\(String(describing: refused.failure))")
      return
    }
    #expect(file == LogDirectory(path: directory.path).segmentPath(segments[1]))
    let crossed = walk(directory)
    #expect(crossed.ends == ends.filter { $0 <= segments[1] || $0 > segments[2] })
    #expect(crossed.gaps.map(\.after) == [Position(endLSN: segments[1])])
    // Reading from within it is as impossible, and as crossable.
    let within = Position(endLSN: try #require(ends.first { $0 > segments[1] }))
    #expect(walk(directory, after: within, crossing: false).failure != nil)
    #expect(walk(directory, after: within).ends == ends.filter { $0 > segments[2] })
  }

  @Test("a damaged header: the segment is read from its first sound frame")
  func header() throws {
    let directory = try TemporaryDirectory()
    let ends = try log(directory, segmentBytes: 1_000)
    let (file, _) = try frames(directory, segment: 1)
    try spoil(file, at: 30)
    #expect(walk(directory, crossing: false).failure != nil)
    let crossed = walk(directory)
    #expect(crossed.failure == nil && crossed.ends == ends && crossed.gaps.count == 1)
  }

  @Test(
    "every byte of a log may be spoilt: what is given is a part of it, in order, and what is not is in a gap")
  func everyByte() throws {
    let directory = try TemporaryDirectory()
    let ends = try log(directory, segmentBytes: 1_000)
    for name in directory.segments {
      let sound = try directory.contents(name)
      for byte in stride(from: 0, to: sound.count, by: 7) {
        var bytes = sound
        bytes[byte] ^= 0x41
        try directory.write(bytes, to: name)
        let crossed = walk(directory)
        guard crossed.failure == nil else {
          // A version that this program does not know is not damage.
          guard case .unknownVersion = crossed.failure else {
            Issue.record("\(name) byte \(byte): \(String(describing: crossed.failure))")
            continue
          }
          continue
        }
        #expect(crossed.ends == crossed.ends.sorted())
        for end in ends where !crossed.ends.contains(end) {
          let isKnown = crossed.gaps.contains {
            $0.after.endLSN < end && end < $0.next ?? LSN(rawValue: .max)
          }
          #expect(isKnown, "\(name) byte \(byte): \(end) is lost without a gap")
        }
      }
      try directory.write(sound, to: name)
    }
  }
}
