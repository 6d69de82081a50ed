import Glibc

/// TCP ports of 127.0.0.1.
public enum LoopbackPort {
  /// A port that nobody listens on. Another process may take it before the server does; a start tries another then.
  public static func free() throws(ClusterError) -> UInt16 {
    let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    guard listener >= 0 else { throw .system(call: "socket", path: "127.0.0.1", errno: errno) }
    defer { close(listener) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let bound = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
        bind(listener, generic, length) == 0 && getsockname(listener, generic, &length) == 0
      }
    }
    guard bound else { throw .system(call: "bind", path: "127.0.0.1", errno: errno) }
    return UInt16(bigEndian: address.sin_port)
  }
}
