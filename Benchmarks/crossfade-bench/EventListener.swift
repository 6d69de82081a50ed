import Glibc
import LocalCluster
import PGOutput
import Postgres
import Synchronization

/// A subscriber that counts events and, if told so, how long each took from its commit time.
final class EventListener: Sendable {
  private let descriptor: Int32
  private let count = Atomic(0)
  private let isOver = Atomic(false)
  private let milliseconds = Mutex<[Double]>([])
  private let timesEach: Bool
  private let worker = Mutex<Worker<Bool>?>(nil)

  init(port: UInt16, query: String, timesEach: Bool) throws {
    self.timesEach = timesEach
    guard let connected = LoopbackSocket.connected(to: port) else {
      throw BenchError("cannot subscribe on port \(port): errno \(errno)")
    }
    descriptor = connected
    let request = "GET /v1/events?\(query) HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    guard send(descriptor, request, request.utf8.count, 0) > 0 else {
      throw BenchError("cannot subscribe on port \(port): errno \(errno)")
    }
    // Its head has come: it listens.
    var head = [UInt8](repeating: 0, count: 1)
    guard recv(descriptor, &head, 1, Int32(MSG_PEEK)) == 1 else {
      throw BenchError("no answer on port \(port)")
    }
    let worker = Worker<Bool> { [self] in
      read()
      return true
    }
    self.worker.withLock { $0 = worker }
  }

  /// Waits for so many events.
  func wait(for events: Int) throws {
    let deadline = Deadline.after(milliseconds: 120_000)
    while count.load(ordering: .acquiring) < events {
      if deadline.hasPassed || isOver.load(ordering: .acquiring) {
        throw BenchError("\(count.load(ordering: .acquiring)) events of \(events) came")
      }
      usleep(1_000)
    }
  }

  /// Waits for the answer's end; gives the number of events.
  func waitForEnd() -> Int {
    while !isOver.load(ordering: .acquiring) { usleep(1_000) }
    return count.load(ordering: .acquiring)
  }

  func leave() { shutdown(descriptor, Int32(SHUT_RDWR)) }

  /// The median and the 99th percentile in milliseconds.
  var percentiles: (Double, Double) {
    let sorted = milliseconds.withLock { $0.sorted() }
    guard !sorted.isEmpty else { return (0, 0) }
    return (sorted[sorted.count / 2], sorted[min(sorted.count - 1, sorted.count * 99 / 100)])
  }

  private func read() {
    defer {
      close(descriptor)
      isOver.store(true, ordering: .releasing)
    }
    var buffer = [UInt8](repeating: 0, count: 1 << 18)
    var last: UInt8 = 0
    while true {
      let size = recv(descriptor, &buffer, buffer.count, 0)
      guard size > 0 else { return }
      if timesEach { time(buffer[..<size]) }
      var found = 0
      // Every event ends so, and nothing else in the answer does.
      for byte in buffer[..<size] {
        if byte == 10, last == 125 { found += 1 }
        last = byte
      }
      count.add(found, ordering: .acquiringAndReleasing)
    }
  }

  /// Events come whole at this rate: one that a read has split is left out.
  private func time(_ bytes: ArraySlice<UInt8>) {
    var now = timespec()
    clock_gettime(CLOCK_REALTIME, &now)
    let micros = Int64(now.tv_sec) * 1_000_000 + Int64(now.tv_nsec) / 1000
    let text = String(decoding: bytes, as: UTF8.self)
    for part in text.split(separator: "\"time\":\"").dropFirst() {
      guard let time = Timestamp(iso8601: String(part.prefix(27))) else { continue }
      milliseconds.withLock { $0.append(Double(micros - time.unixMicroseconds) / 1000) }
    }
  }
}
