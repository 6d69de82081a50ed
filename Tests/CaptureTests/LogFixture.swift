import Glibc
import LocalCluster
import PGOutput
import Synchronization

@testable import Capture
@testable import ChangeLog

/// A change log of its own in a directory that goes with it, on a disk that can be told to be full or to fail.
final class LogFixture: Sendable {
  struct Disk {
    var isFull = false
    var syncFails = false
  }

  struct Failure: Error { var errno: Int32 }

  static let start = LSN(rawValue: 10)
  let path: String
  let tail = LogTail()
  let writer: ChangeLogWriter
  let calls: FileCalls
  private let disk: DiskState

  private final class DiskState: Sendable {
    let state = Mutex(Disk())
  }

  init() throws {
    var template = Array("/tmp/crossfade-capture-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { throw Failure(errno: errno) }
    path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    let disk = DiskState()
    self.disk = disk
    var options = ChangeLogWriter.Options(tail: tail)
    options.calls.write = { descriptor, bytes, count, offset in
      guard disk.state.withLock({ $0.isFull }) else { return pwrite(descriptor, bytes, count, offset) }
      errno = ENOSPC
      return -1
    }
    options.calls.syncData = { descriptor in
      guard disk.state.withLock({ $0.syncFails }) else { return fdatasync(descriptor) }
      errno = EIO
      return -1
    }
    calls = options.calls
    let origin = OriginIdentity(
      systemIdentifier: 1, timeline: 1, databaseOID: 1, slot: "s", creationPoint: Self.start)
    writer = try ChangeLogWriter.open(directory: path, origin: origin, start: Self.start, options: options)
  }

  deinit {
    // What a failed test leaves behind is small; that it could not be removed is no news to anybody.
    _ = try? ChildProcess.run(["rm", "-rf", "--", path])
  }

  func disk(_ change: (inout Disk) -> Void) { disk.state.withLock { change(&$0) } }

  /// The words that a reader of the files finds, and how far the log says it is whole.
  func contents() throws -> (words: String, watermark: LSN) {
    var words: [String] = []
    let reader = try LogReader(directory: path, after: Self.start)
    while let chunk = try reader.next(timeout: .zero) {
      chunk.withUnsafeBytes { bytes in
        var at = 0
        while at + 12 <= bytes.count {
          let size = Int(UInt32(bigEndian: bytes.loadUnaligned(fromByteOffset: at, as: UInt32.self)))
          words.append(StreamScript.word([UInt8](bytes[(at + 12)..<(at + 12 + size)])))
          at += 12 + size
        }
      }
    }
    return (words.joined(separator: " "), reader.position)
  }
}

extension Intake {
  /// Adds a stream in words to the log's records.
  func add(_ stream: String) {
    for word in stream.split(separator: " ") {
      StreamScript.bytes(word).withUnsafeBytes { log(walStart: 0, payload: $0) }
    }
  }

  /// Adds a stream in words to a transaction's spool.
  func add(_ stream: String, toSpoolOf xid: UInt32) {
    for word in stream.split(separator: " ") {
      StreamScript.bytes(word).withUnsafeBytes {
        spool(TransactionID(rawValue: xid), walStart: 0, payload: $0, idSize: 0)
      }
    }
  }
}
