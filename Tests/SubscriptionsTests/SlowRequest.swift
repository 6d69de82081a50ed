import ChangeLog
import Glibc
import LocalCluster
import Synchronization

@testable import Subscriptions

/// A request whose head never ends: a byte every twentieth of a second, until the server has had enough.
final class SlowRequest: Sendable {
  private let descriptor: Int32
  private let closed = Atomic(false)
  private let count = Atomic(0)

  init?(port: Int) {
    guard let connected = LoopbackSocket.connected(to: UInt16(clamping: port)) else { return nil }
    descriptor = connected
    DetachedThread.start { [self] in drip() }
  }

  var isClosed: Bool { closed.load(ordering: .acquiring) }
  var sent: Int { count.load(ordering: .acquiring) }

  private func drip() {
    defer {
      close(descriptor)
      closed.store(true, ordering: .releasing)
    }
    let head = "GET /v1/health HTTP/1.1\r\nX: " + String(repeating: "x", count: 400)
    var answer: UInt8 = 0
    for byte in head.utf8 {
      var byte = byte
      guard send(descriptor, &byte, 1, Int32(MSG_NOSIGNAL)) == 1 else { return }
      count.add(1, ordering: .relaxed)
      usleep(50_000)
      let got = recv(descriptor, &answer, 1, Int32(MSG_DONTWAIT))
      if got >= 0 || (errno != EAGAIN && errno != EWOULDBLOCK) { return }
    }
  }
}
