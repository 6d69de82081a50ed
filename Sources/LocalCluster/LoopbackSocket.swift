import Glibc

/// A TCP client's end, for what no client library does: to read slowly, nothing, or to go without a word.
public enum LoopbackSocket {
  /// Connects to a port of 127.0.0.1: the descriptor, which is the caller's to close; nil where nobody listens.
  ///
  /// - Parameter receiveBuffer: bytes that the system takes in before the caller does; nil for its usual.
  public static func connected(to port: UInt16, receiveBuffer: Int32? = nil) -> Int32? {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    if var bytes = receiveBuffer {
      setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &bytes, socklen_t(MemoryLayout<Int32>.size))
    }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    let connected = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    guard connected == 0 else {
      close(descriptor)
      return nil
    }
    return descriptor
  }
}
