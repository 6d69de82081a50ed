import Glibc
import Postgres
import Synchronization

/// A unix socket beside the change log that takes one line, a `ControlCommand`, and answers in lines. Only its owner may use it.
public struct ControlSocket: Sendable {
  /// Why there is none.
  public struct Fault: Error, Sendable, CustomStringConvertible {
    /// In a sentence.
    public var description: String
  }

  /// Its name in the log's directory.
  public static let name = "backfill.sock"
  /// The most bytes of a line.
  static let longest = 512

  let path: String
  private let descriptor: Int32
  private let inode: ino_t

  /// Where the socket of a directory is.
  public static func path(in directory: String) -> String { "\(directory)/\(name)" }

  /// Listens in a directory. What an earlier process left there is replaced; one that answers is not.
  init(directory: String) throws(Fault) {
    path = Self.path(in: directory)
    guard var address = Self.address(path) else {
      throw Fault(
        description: "\(path) has \(path.utf8.count) bytes, and a unix socket's path at most \(Self.room - 1)"
      )
    }
    guard access(directory, W_OK) == 0 else {
      throw Fault(description: "\(directory): \(String(cString: strerror(errno)))")
    }
    let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else { throw Fault(description: "no socket: \(String(cString: strerror(errno)))") }
    if Self.ask("status", directory: directory) != nil {
      close(descriptor)
      throw Fault(description: "another backfill answers on \(path)")
    }
    unlink(path)
    let mask = umask(0o177)
    let bound = withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
      }
    }
    umask(mask)
    guard bound == 0, listen(descriptor, 8) == 0 else {
      let reason = String(cString: strerror(errno))
      close(descriptor)
      throw Fault(description: "\(path): \(reason)")
    }
    self.descriptor = descriptor
    inode = Self.inode(path) ?? 0
  }

  private static func inode(_ path: String) -> ino_t? {
    var file = stat()
    return lstat(path, &file) == 0 ? file.st_ino : nil
  }

  /// Answers until the interrupt is stopped; then the socket is gone.
  func serve(until interrupt: Interrupt, _ answer: (String, String) -> String) {
    defer {
      close(descriptor)
      // Another's, which came after ours, stays.
      if Self.inode(path) == inode { unlink(path) }
    }
    while !interrupt.isStopped {
      var descriptors = [
        pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0),
        pollfd(fd: interrupt.descriptor, events: Int16(POLLIN), revents: 0),
      ]
      guard poll(&descriptors, 2, 1000) > 0, descriptors[0].revents != 0 else { continue }
      let client = accept(descriptor, nil, nil)
      guard client >= 0 else { continue }
      // Who connects and says nothing keeps nobody else waiting for long.
      if let line = Self.line(from: client, within: 2000) {
        Self.send(answer(line, Self.peer(client)), to: client)
      }
      close(client)
    }
  }

  /// Says a line to a backfill and gives its answer; nil when nobody listens.
  public static func ask(_ line: String, directory: String) -> String? {
    guard var address = address(path(in: directory)) else { return nil }
    let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    let connected = withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
      }
    }
    guard connected == 0 else { return nil }
    send(line + "\n", to: descriptor)
    var answer: [UInt8] = []
    while let part = bytes(from: descriptor, within: 10_000), !part.isEmpty, answer.count < 1 << 20 {
      answer += part
    }
    return answer.isEmpty ? nil : String(decoding: answer, as: UTF8.self)
  }

  static var room: Int { MemoryLayout.size(ofValue: sockaddr_un().sun_path) }

  private static func address(_ path: String) -> sockaddr_un? {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    let bytes = Array(path.utf8)
    guard bytes.count < room, !bytes.contains(0) else { return nil }
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
    return address
  }

  private static func peer(_ client: Int32) -> String {
    // `struct ucred`, which Glibc's module lacks: process, user, group.
    var credentials: (pid: Int32, uid: UInt32, gid: UInt32) = (0, 0, 0)
    var size = socklen_t(MemoryLayout.size(ofValue: credentials))
    guard getsockopt(client, SOL_SOCKET, SO_PEERCRED, &credentials, &size) == 0 else { return "the socket" }
    var entry = passwd()
    var found: UnsafeMutablePointer<passwd>?
    var buffer = [CChar](repeating: 0, count: 4096)
    if getpwuid_r(credentials.uid, &entry, &buffer, buffer.count, &found) == 0, found != nil,
      let name = entry.pw_name
    {
      return String(cString: name)
    }
    return "user \(credentials.uid)"
  }

  private static func line(from client: Int32, within milliseconds: Int) -> String? {
    let deadline = Deadline.after(milliseconds: milliseconds)
    var line: [UInt8] = []
    while line.count <= longest {
      if let end = line.firstIndex(of: UInt8(ascii: "\n")) {
        return String(decoding: line[..<end], as: UTF8.self)
      }
      guard let part = bytes(from: client, within: Int(deadline.remainingMilliseconds)), !part.isEmpty else {
        return line.isEmpty ? nil : String(decoding: line, as: UTF8.self)
      }
      line += part
    }
    return String(decoding: line.prefix(longest), as: UTF8.self)
  }

  /// What comes next; empty at the end, nil when nothing comes in time.
  private static func bytes(from descriptor: Int32, within milliseconds: Int) -> [UInt8]? {
    var waiting = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    guard poll(&waiting, 1, Int32(clamping: milliseconds)) > 0 else { return nil }
    var buffer = [UInt8](repeating: 0, count: 4096)
    let count = recv(descriptor, &buffer, buffer.count, 0)
    return count < 0 ? nil : Array(buffer.prefix(count))
  }

  private static func send(_ text: String, to descriptor: Int32) {
    var rest = Array(text.utf8)[...]
    while !rest.isEmpty {
      let sent = rest.withUnsafeBytes {
        Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
      }
      guard sent > 0 else { return }
      rest = rest.dropFirst(sent)
    }
  }
}
