import Glibc

/// One open file of the log: positioned reads and writes that are whole or an error.
package final class LogFile {
  package let path: String
  private let descriptor: Int32
  private let calls: FileCalls

  package enum Mode {
    case read
    case write
    case create
  }

  /// Opens `path`; `finalPath` is the name it will have, for errors that come later.
  package init(
    path: String, mode: Mode, calls: FileCalls = .system, finalPath: String? = nil
  ) throws(ChangeLogError) {
    let flags =
      switch mode {
      case .read: O_RDONLY
      case .write: O_RDWR
      case .create: O_RDWR | O_CREAT | O_TRUNC
      }
    let opened = FileCalls.uninterrupted { calls.open(path, flags | O_CLOEXEC, 0o640) }
    guard opened >= 0 else { throw LogFile.error("open", path, errno) }
    descriptor = opened
    self.path = finalPath ?? path
    self.calls = calls
  }

  deinit { close(descriptor) }

  package func size() throws(ChangeLogError) -> UInt64 {
    var info = stat()
    guard fstat(descriptor, &info) == 0 else { throw Self.error("fstat", path, errno) }
    return UInt64(max(info.st_size, 0))
  }

  /// Whether the file has lost its name: it was removed, or another was put in its place.
  var isUnlinked: Bool {
    var info = stat()
    return fstat(descriptor, &info) == 0 && info.st_nlink == 0
  }

  /// Reads until `target` is full or the file ends; returns the bytes read.
  package func read(at offset: UInt64, into target: UnsafeMutableRawBufferPointer) throws(ChangeLogError)
    -> Int
  {
    guard let base = target.baseAddress else { return 0 }
    var done = 0
    while done < target.count {
      let got = pread(descriptor, base + done, target.count - done, Int(clamping: offset) + done)
      if got < 0 {
        if errno == EINTR { continue }
        throw Self.error("read", path, errno)
      }
      if got == 0 { break }
      done += got
    }
    return done
  }

  /// All of it; for files that are small by nature.
  func contents(atMost limit: UInt64 = 256 << 20) throws(ChangeLogError) -> [UInt8] {
    let size = try size()
    guard size <= limit else {
      throw .damaged(file: path, offset: limit, reason: "it is larger than such a file can be")
    }
    let held = ByteBuffer(capacity: Int(size))
    defer { withExtendedLifetime(held) {} }
    held.count = try read(at: 0, into: UnsafeMutableRawBufferPointer(start: held.base, count: Int(size)))
    return [UInt8](held.bytes)
  }

  /// Writes all of `source`. When it throws, any part of it may have been written.
  package func write(_ source: UnsafeRawBufferPointer, at offset: UInt64) throws(ChangeLogError) {
    guard let base = source.baseAddress else { return }
    var done = 0
    while done < source.count {
      let put = FileCalls.uninterrupted {
        calls.write(descriptor, base + done, source.count - done, Int(clamping: offset) + done)
      }
      if put < 0 { throw Self.error("write", path, errno) }
      if put == 0 { throw Self.error("write", path, EIO) }
      done += put
    }
  }

  /// `fdatasync`: contents and size. A failure is never retried: the kernel reports it once and forgets.
  package func sync() throws(ChangeLogError) {
    guard FileCalls.uninterrupted({ calls.syncData(descriptor) }) == 0 else {
      throw .syncFailed(path: path, errno: errno)
    }
  }

  package func truncate(to size: UInt64) throws(ChangeLogError) {
    guard FileCalls.uninterrupted({ calls.truncate(descriptor, Int(clamping: size)) }) == 0 else {
      throw Self.error("truncate", path, errno)
    }
  }

  package static func error(_ operation: String, _ path: String, _ code: Int32) -> ChangeLogError {
    switch code {
    case ENOSPC, EDQUOT: .diskFull(path: path)
    default: .io(operation: operation, path: path, errno: code)
    }
  }
}
