import Glibc
import PGOutput
import Testing

@testable import ChangeLog

/// A log that ends where it should not is not read as if it were shorter.
@Suite("A damaged log, read", .timeLimit(.minutes(1)))
struct DamagedReadingTests {
  private func log(_ directory: TemporaryDirectory, segmentBytes: UInt64) throws -> [LSN] {
    let writer = try directory.open(segmentBytes: segmentBytes)
    var records = LedgerRecords(after: .exampleStart)
    var ends: [LSN] = []
    for number in 0..<12 {
      ends.append(
        try records.transaction(xid: UInt32(number)) { ledger in
          if number == 0 { ledger.describe(LedgerRecords.transactions) }
          try ledger.insert(number, "AUTH")
        })
      try writer.append(records)
    }
    return ends
  }

  /// What is read to the end, and the error that ended it.
  private func read(_ directory: TemporaryDirectory) async throws -> (ends: [LSN], failure: ChangeLogError?) {
    var ends: [LSN] = []
    do throws(ChangeLogError) {
      for try await transaction in LogSource(directory: directory.path).transactions(follow: false) {
        ends.append(transaction.head.end)
      }
    } catch {
      return (ends, error)
    }
    return (ends, nil)
  }

  @Test("an announcement that is damaged is named, after what stands before it")
  func announcement() async throws {
    let directory = try TemporaryDirectory()
    let ends = try log(directory, segmentBytes: 64 << 20)
    let name = try #require(directory.segments.first)
    let file = try LogFile(path: "\(directory.path)/\(name)", mode: .write)
    var scanner = try SegmentScanner(file: file, from: UInt64(SegmentScanner.header(of: file).frameSize))
    for _ in 0..<5 { _ = try scanner.next(verify: false) }
    try [UInt8(0xFF)].withUnsafeBytes { try file.write($0, at: scanner.offset + 20) }
    let read = try await read(directory)
    #expect(read.ends == Array(ends[..<5]))
    guard case .damaged(_, let offset, _) = read.failure else {
      Issue.record("\(String(describing: read.failure))")
      return
    }
    #expect(offset == scanner.offset)
  }

  @Test("a segment that lost its end is named when another follows")
  func lostEnd() async throws {
    let directory = try TemporaryDirectory()
    let ends = try log(directory, segmentBytes: 1_000)
    let names = directory.segments
    try #require(names.count > 2)
    let path = "\(directory.path)/\(names[1])"
    let size = try LogFile(path: path, mode: .read).size()
    for cut in [150, Int(size) / 2] {
      truncate(path, Int(size) - cut)
      let read = try await read(directory)
      #expect(read.ends.count < ends.count && read.ends == Array(ends[..<read.ends.count]))
      guard case .damaged(let file, _, _) = read.failure else {
        Issue.record("\(String(describing: read.failure))")
        continue
      }
      #expect(file == path)
    }
  }

  @Test(
    "a segment that was removed is named, by one who waits at the log's end, too", arguments: [false, true])
  func removed(follow: Bool) async throws {
    let directory = try TemporaryDirectory()
    let ends = try log(directory, segmentBytes: 1_000)
    let segments = try LogDirectory(path: directory.path).segments()
    try #require(segments.count > 2)
    let path = LogDirectory(path: directory.path).segmentPath(segments[1])
    unlink(path)
    var read: [LSN] = []
    let error = await #expect(throws: ChangeLogError.self) {
      for try await transaction in LogSource(directory: directory.path).transactions(follow: follow) {
        read.append(transaction.head.end)
      }
    }
    #expect(read == ends.filter { $0 <= segments[1] })
    #expect(
      error == .damaged(file: path, offset: 0, reason: "the segment is missing, but another follows"))
    // One that retention took from under a reader is no longer held.
    let reader = try LogReader(directory: directory.path, after: .exampleStart)
    #expect(try reader.next(timeout: .zero) != nil)
    unlink(LogDirectory(path: directory.path).segmentPath(segments[0]))
    #expect(throws: ChangeLogError.pruned(asked: segments[1], firstHeld: segments[2])) {
      while try reader.next(timeout: .zero) != nil {}
    }
  }

  @Test("a log whose last write is not whole is read up to there, as a writer may be at work")
  func torn() async throws {
    let directory = try TemporaryDirectory()
    let ends = try log(directory, segmentBytes: 64 << 20)
    let path = "\(directory.path)/\(try #require(directory.segments.first))"
    truncate(path, Int(try LogFile(path: path, mode: .read).size()) - 5)
    let read = try await read(directory)
    #expect(read.ends == Array(ends.dropLast()))
    #expect(read.failure == nil)
  }
}
