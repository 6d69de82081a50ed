import ChangeLog
import Glibc
import LocalCluster
import Synchronization

@testable import Subscriptions

/// What is sent as it stands, what comes back, and whether the server ends the connection.
final class RawExchange: Sendable {
  private struct State {
    var answer: [UInt8] = []
    var isClosed = false
  }

  private let state = Mutex(State())
  private let descriptor: Int32
  private let isOver = Atomic(false)

  /// Sends `text`; then, until the server has had enough, a byte every twentieth of a second where it `drips`.
  init?(port: Int, _ text: String, drips: Bool = false) {
    guard let connected = LoopbackSocket.connected(to: UInt16(clamping: port)) else { return nil }
    descriptor = connected
    guard send(descriptor, text, text.utf8.count, Int32(MSG_NOSIGNAL)) == text.utf8.count else {
      close(descriptor)
      return nil
    }
    DetachedThread.start { [self] in talk(drips) }
  }

  var answer: String { state.withLock { String(decoding: $0.answer, as: UTF8.self) } }
  var isClosed: Bool { state.withLock { $0.isClosed } }

  func end() { isOver.store(true, ordering: .releasing) }

  private func talk(_ drips: Bool) {
    defer { close(descriptor) }
    var buffer = [UInt8](repeating: 0, count: 64 << 10)
    while !isOver.load(ordering: .acquiring) {
      var byte = UInt8(ascii: "x")
      let sent = drips ? send(descriptor, &byte, 1, Int32(MSG_NOSIGNAL)) : 1
      usleep(50_000)
      let got = recv(descriptor, &buffer, buffer.count, Int32(MSG_DONTWAIT))
      if got > 0 { state.withLock { $0.answer += buffer[..<got] } }
      guard sent == 1, got > 0 || (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) else {
        return state.withLock { $0.isClosed = true }
      }
    }
  }
}
