import ChangeLog
import Glibc
import LocalCluster
import Synchronization

@testable import Subscriptions

/// A subscriber on a thread of its own, over a plain socket: it can be slow, stop reading, and go without a word.
final class RawSubscriber: Sendable {
  private struct State {
    var status: Int?
    var ids: [String] = []
    var lines: [String] = []
    var signs: [String] = []
    var isOver = false
  }

  private let state = Mutex(State())
  private let descriptor: Int32
  private let isPaused: Atomic<Bool>
  private let limit: Int

  /// Asks for `path`, and reads; paused, it reads nothing until `resume`. It goes after `limit` events.
  init?(port: Int, path: String, headers: [String] = [], paused: Bool = false, limit: Int = .max) {
    isPaused = Atomic(paused)
    self.limit = limit
    guard let connected = LoopbackSocket.connected(to: UInt16(clamping: port), receiveBuffer: 16 << 10) else {
      return nil
    }
    descriptor = connected
    let request =
      "GET \(path) HTTP/1.1\r\nHost: localhost\r\n" + headers.map { $0 + "\r\n" }.joined() + "\r\n"
    guard send(descriptor, request, request.utf8.count, Int32(MSG_NOSIGNAL)) > 0
    else {
      close(descriptor)
      return nil
    }
    DetachedThread.start { [self] in read() }
  }

  /// The ids of the events that came, in order.
  var ids: [String] { state.withLock { $0.ids } }
  /// The events as they came.
  var lines: [String] { state.withLock { $0.lines } }
  /// The gaps among them.
  var gaps: [String] { lines.filter { $0.contains("\"type\":\"crossfade.gap\"") } }
  /// What came beside events: empty lines, comments and ids.
  var signs: [String] { state.withLock { $0.signs } }
  var status: Int? { state.withLock { $0.status } }
  var isOver: Bool { state.withLock { $0.isOver } }

  func resume() { isPaused.store(false, ordering: .releasing) }

  /// Will say nothing more.
  func closeItsSide() { shutdown(descriptor, Int32(SHUT_WR)) }

  /// Goes, without a word.
  func leave() {
    resume()
    shutdown(descriptor, Int32(SHUT_RDWR))
  }

  private func read() {
    defer {
      close(descriptor)
      state.withLock { $0.isOver = true }
    }
    var lines = Lines()
    var buffer = [UInt8](repeating: 0, count: 64 << 10)
    while true {
      while isPaused.load(ordering: .acquiring) { usleep(5_000) }
      let count = recv(descriptor, &buffer, buffer.count, 0)
      guard count > 0 else { return }
      lines.feed(buffer[..<count])
      let (status, found, signs) = lines.take()
      let isFull = state.withLock { state in
        state.status = state.status ?? status
        // What came after its last one was sent, and is not taken.
        let wanted = found.prefix(limit - state.ids.count)
        state.ids += wanted.map(\.id)
        state.lines += wanted.map(\.line)
        state.signs += signs
        return state.ids.count >= limit
      }
      if isFull || lines.isOver { return }
    }
  }

  /// Takes chunks apart, and ids out of whole lines.
  private struct Lines {
    private var head: [UInt8] = []
    private var isHead = true
    private var chunkLine: [UInt8] = []
    private var left = 0
    private var line: [UInt8] = []
    private var status: Int?
    private var events: [(id: String, line: String)] = []
    private var signs: [String] = []
    private(set) var isOver = false

    mutating func feed(_ bytes: ArraySlice<UInt8>) {
      for byte in bytes {
        if isHead {
          head.append(byte)
          guard head.suffix(4) == [13, 10, 13, 10] else { continue }
          isHead = false
          status = Int(String(decoding: head.dropFirst(9).prefix(3), as: UTF8.self))
        } else if left > 0 {
          left -= 1
          if byte == 10 { endLine() } else { line.append(byte) }
        } else if byte == 10 {
          if chunkLine.isEmpty { continue }
          left = Int(String(decoding: chunkLine, as: UTF8.self), radix: 16) ?? 0
          if left == 0 { isOver = true }
          chunkLine = []
        } else if byte != 13 {
          chunkLine.append(byte)
        }
      }
    }

    private mutating func endLine() {
      defer { line = [] }
      let text = String(decoding: line, as: UTF8.self)
      guard let start = text.firstRange(of: "\"id\":\"")?.upperBound, text.contains("specversion"),
        let end = text[start...].firstIndex(of: "\"")
      else { return signs.append(text) }
      events.append((String(text[start..<end]), text))
    }

    mutating func take() -> (Int?, [(id: String, line: String)], [String]) {
      defer {
        events = []
        signs = []
      }
      return (status, events, signs)
    }
  }
}
