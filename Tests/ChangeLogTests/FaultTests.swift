import Glibc
import PGOutput
import Synchronization
import Testing

@testable import ChangeLog

/// System calls that fail when told to.
final class Faults: Sendable {
  struct Plan {
    var bytesLeft: Int?
    var shortWrites = false
    var syncFails = false
    var renameFails = false
  }

  let plan = Mutex(Plan())

  var calls: FileCalls {
    var calls = FileCalls.system
    calls.write = { [self] descriptor, bytes, count, offset in
      let allowed = plan.withLock { plan -> Int in
        var allowed = plan.shortWrites ? min(count, 7) : count
        if let left = plan.bytesLeft {
          allowed = min(allowed, left)
          plan.bytesLeft = left - allowed
        }
        return allowed
      }
      if allowed == 0 {
        errno = ENOSPC
        return -1
      }
      return pwrite(descriptor, bytes, allowed, offset)
    }
    calls.rename = { [self] from, to in
      if plan.withLock({ $0.renameFails }) {
        errno = ENOSPC
        return -1
      }
      return rename(from, to)
    }
    calls.syncData = { [self] descriptor in
      if plan.withLock({ $0.syncFails }) {
        errno = EIO
        return -1
      }
      return fdatasync(descriptor)
    }
    return calls
  }
}

@Suite("Faults of the disk")
struct FaultTests {
  @Test("writes that fall short are completed")
  func shortWrites() throws {
    let directory = try TemporaryDirectory()
    let faults = Faults()
    faults.plan.withLock { $0.shortWrites = true }
    let writer = try directory.open(calls: faults.calls)
    let group = RecordGroup()
    group.addTransaction(end: 0x2000, changes: 10)
    try writer.append(group)
    try writer.sync()
    #expect(try difference(directory.read().bytes, group.contents) == nil)
  }

  @Test("a full disk fails the append after any number of bytes, keeps nothing of it, and the retry succeeds")
  func diskFull() throws {
    let first = RecordGroup()
    first.addTransaction(end: 0x2000)
    let second = RecordGroup()
    second.addTransaction(end: 0x3000, changes: 3)
    second.add(Payload.begin(finalLSN: 0x3FF8))
    let wholePart = RecordGroup()
    wholePart.addTransaction(end: 0x3000, changes: 3)
    for room in 0..<300 {
      let directory = try TemporaryDirectory()
      let faults = Faults()
      let writer = try directory.open(calls: faults.calls)
      try writer.append(first)
      try writer.sync()
      faults.plan.withLock { $0.bytesLeft = room }
      let size = try directory.contents(directory.segments[0]).count
      let error = #expect(throws: ChangeLogError.self) { try writer.append(second) }
      #expect(error == .diskFull(path: "\(directory.path)/\(directory.segments[0])"))
      #expect(error?.isRetriable == true)
      #expect(try directory.contents(directory.segments[0]).count == size)
      #expect(writer.end == LSN(rawValue: 0x2000))
      faults.plan.withLock { $0.bytesLeft = nil }
      try writer.append(second)
      try writer.sync()
      #expect(try difference(directory.read().bytes, first.contents + wholePart.contents) == nil)
      #expect(try LogVerifier.verify(directory: directory.path).problems.isEmpty)
    }
  }

  @Test("a disk that fills up while a segment is sealed leaves the log as it was, and the retry seals it")
  func diskFullWhileRolling() throws {
    let group = RecordGroup()
    var rolled = 0
    for room in stride(from: 0, to: 600, by: 3) {
      let directory = try TemporaryDirectory()
      let faults = Faults()
      let writer = try directory.open(segmentBytes: 100, calls: faults.calls)
      group.removeAll()
      group.addTransaction(end: 0x2000, relation: 16384)
      var expected = group.contents
      try writer.append(group)
      group.removeAll()
      group.addTransaction(end: 0x3000)
      expected += group.contents
      faults.plan.withLock { $0.bytesLeft = room }
      do {
        try writer.append(group)
      } catch {
        #expect(error.isRetriable)
        faults.plan.withLock { $0.bytesLeft = nil }
        try writer.append(group)
        rolled += 1
      }
      try writer.sync()
      #expect(directory.files == ["0000000000001000.lz4", "0000000000002000.lz4", "lock"])
      #expect(try difference(directory.read().bytes, expected) == nil, "room \(room)")
      #expect(try LogVerifier.verify(directory: directory.path).problems.isEmpty)
    }
    #expect(rolled > 100)
  }

  @Test(
    "a sealed segment whose successor finds no room for its name is as it was, and what else is written stands"
  )
  func noRoomForName() throws {
    let directory = try TemporaryDirectory()
    let faults = Faults()
    let writer = try directory.open(segmentBytes: 100, calls: faults.calls)
    let group = RecordGroup()
    group.addTransaction(end: 0x2000)
    try writer.append(group)
    try writer.sync()
    let held = try directory.contents(directory.segments[0])
    let next = RecordGroup()
    next.addTransaction(end: 0x3000)
    faults.plan.withLock { $0.renameFails = true }
    let error = #expect(throws: ChangeLogError.self) { try writer.append(next) }
    #expect(error?.isRetriable == true)
    #expect(try directory.contents(directory.segments[0]) == held)
    #expect(directory.files == ["0000000000001000.lz4", "lock"])
    faults.plan.withLock { $0.renameFails = false }
    try writer.mark(watermark: LSN(rawValue: 0x2800))
    try writer.append(next)
    try writer.sync()
    #expect(try difference(directory.read().bytes, group.contents + next.contents) == nil)
    #expect(try LogVerifier.verify(directory: directory.path).problems.isEmpty)
  }

  @Test("a failed sync is final: nothing is confirmed, and no later call pretends that it worked")
  func syncFailure() throws {
    let directory = try TemporaryDirectory()
    let faults = Faults()
    let tail = LogTail()
    let writer = try directory.open(tail: tail, calls: faults.calls)
    let group = RecordGroup()
    group.addTransaction(end: 0x2000)
    try writer.append(group)
    faults.plan.withLock { $0.syncFails = true }
    let error = #expect(throws: ChangeLogError.self) { try writer.sync() }
    guard case .syncFailed(_, EIO)? = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    faults.plan.withLock { $0.syncFails = false }
    #expect(writer.watermark == .exampleStart)
    #expect(tail.durable?.watermark == .exampleStart)
    for call in [
      { try writer.append(group) }, { _ = try writer.sync() }, { try writer.discardPartialTransaction() },
    ] {
      let later = #expect(throws: ChangeLogError.self) { try call() }
      guard case .writerFailed? = later else {
        Issue.record("\(String(describing: later))")
        return
      }
    }
  }
}
