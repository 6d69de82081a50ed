import Glibc

/// What tells a changed file from the same one; its mode and owner count, too: whether it may be read is a part of it.
struct FileStamp: Equatable {
  private struct Time: Equatable {
    let seconds: Int
    let nanoseconds: Int

    init(_ time: timespec) {
      seconds = time.tv_sec
      nanoseconds = time.tv_nsec
    }
  }

  private let inode: UInt64
  private let size: Int64
  private let mode: UInt32
  private let written: Time
  /// When anything about it was changed: nobody can set it back.
  private let changed: Time

  init(_ info: stat) {
    inode = UInt64(info.st_ino)
    size = Int64(info.st_size)
    mode = UInt32(info.st_mode)
    written = Time(info.st_mtim)
    changed = Time(info.st_ctim)
  }

  /// Of the file at a path; nil where none can be looked at.
  init?(_ path: String) {
    var info = stat()
    guard stat(path, &info) == 0 else { return nil }
    self.init(info)
  }
}
