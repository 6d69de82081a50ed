internal import Glibc
internal import Synchronization

/// Writes whole lines to a file descriptor, each with one `write(2)`, so that lines of several threads (or, on a
/// pipe and up to `PIPE_BUF`, of several processes) never mix; and keeps one status line below them, on terminals
/// that can write a line again.
///
/// What cannot be written is dropped: a full disk or a closed pipe behind standard error must not stop the work.
public final class LineSink: Sendable {
  private let fileDescriptor: Int32
  private let status = Mutex<String?>(nil)

  /// Erases the line the cursor stands on (ECMA-48 `EL`).
  private static let erase = "\r\u{1B}[K"

  /// A sink over a descriptor, which it does not close.
  public init(fileDescriptor: Int32) {
    self.fileDescriptor = fileDescriptor
  }

  /// Standard error.
  public static let standardError = LineSink(fileDescriptor: STDERR_FILENO)

  /// Writes a line; the newline is added here. The status line moves below it.
  public func write(line: String) {
    status.withLock { status in
      let text = status.map { "\(Self.erase)\(line)\n\($0)" } ?? "\(line)\n"
      writeAll(text)
    }
  }

  /// Puts a line in the place of the status line; nil takes it away. For terminals that rewrite lines only.
  public func show(status line: String?) {
    status.withLock { status in
      guard line != status else { return }
      let hadNone = status == nil
      status = line
      writeAll((hadNone ? "" : Self.erase) + (line ?? ""))
    }
  }

  private func writeAll(_ text: String) {
    let bytes = Array(text.utf8)
    bytes.withUnsafeBytes { buffer in
      var rest = buffer[...]
      while !rest.isEmpty {
        let written = Glibc.write(
          fileDescriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
        if written > 0 {
          rest = rest.dropFirst(written)
        } else if written < 0, errno == EAGAIN {
          // Somebody made our standard error non-blocking: wait until it takes more, but not for ever.
          var waiting = pollfd(fd: fileDescriptor, events: Int16(POLLOUT), revents: 0)
          if poll(&waiting, 1, 1_000) <= 0 { return }
        } else if written == 0 || errno != EINTR {
          return
        }
      }
    }
  }
}
