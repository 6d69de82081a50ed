import Foundation
import LocalCluster
import PGOutput
import Postgres
import Synchronization

/// A subscriber as people run one: curl, which is killed at random, and a file in which it writes down where it is - not
/// after each event, so that it sees some of them twice.
final class EventClient: Sendable {
  /// An event, as far as it is looked at.
  struct Event: Hashable, Sendable {
    var id: String
    var end: LSN
    var ordinal: UInt64
    var xid: UInt32
    var step: RowStep
  }

  private struct State {
    var events: [Event] = []
    var seen: Set<String> = []
    /// What is written down.
    var saved = "earliest"
    var repeated = 0
    var lives = 0
    var faults: [String] = []
  }

  private let state = Mutex(State())
  private let isStopped = Atomic(false)
  private let port: Int
  private let isServerSent: Bool
  private let path: String
  private let worker = Mutex<Worker<Bool>?>(nil)

  init(port: Int, number: Int, directory: String) {
    self.port = port
    isServerSent = number.isMultiple(of: 2)
    path = "\(directory)/client-\(number)"
  }

  var events: [Event] { state.withLock { $0.events } }
  /// What came that no event is.
  var faults: [String] { state.withLock { $0.faults } }
  var repeated: Int { state.withLock { $0.repeated } }
  var lives: Int { state.withLock { $0.lives } }

  /// Subscribes, again and again, each time for as long as chance has it.
  func start() {
    let worker = Worker<Bool> { [self] in
      while !isStopped.load(ordering: .acquiring) { live(milliseconds: .random(in: 20...700), query: "") }
      return true
    }
    self.worker.withLock { $0 = worker }
  }

  /// Ends that, and takes what is left.
  func finish() {
    isStopped.store(true, ordering: .releasing)
    while !(worker.withLock { $0?.isFinished } ?? true) { usleep(5_000) }
    var count = -1
    while count != events.count {
      count = events.count
      live(milliseconds: 20_000, query: "&wait=500ms")
    }
  }

  private func live(milliseconds: Int, query: String) {
    let saved = state.withLock { $0.saved }
    let arguments =
      isServerSent ? ["-H", "Accept: text/event-stream", "-H", "Last-Event-ID: \(saved)"] : ["--compressed"]
    let after = isServerSent ? "latest" : saved
    guard
      let curl = try? ChildProcess(
        ["curl", "-sN", "--fail"] + arguments
          + ["http://127.0.0.1:\(port)/v1/events?after=\(after)\(query)"],
        output: .file(path), errors: .discard)
    else { return }
    if curl.wait(for: .milliseconds(milliseconds)) == nil { curl.stop(SIGKILL) }
    guard let text = try? String(contentsOfFile: path, encoding: .utf8) else { return }
    // What has no end of line has not come whole.
    let whole = text.split(separator: "\n", omittingEmptySubsequences: false).dropLast()
    state.withLock { state in
      state.lives += 1
      for line in whole { take(line, &state) }
      // It is as if it had died before it wrote down the last few.
      if let kept = state.events.dropLast(.random(in: 0...3)).last { state.saved = kept.id }
    }
    try? FileManager.default.removeItem(atPath: path)
  }

  private func take(_ line: Substring, _ state: inout State) {
    var json = line
    if isServerSent {
      guard line.hasPrefix("data: ") else { return }
      json = line.dropFirst(6)
    }
    guard !json.isEmpty else { return }
    guard let event = Self.event(json) else {
      state.faults.append(String(json.prefix(300)))
      return
    }
    guard state.seen.insert(event.id).inserted else {
      state.repeated += 1
      return
    }
    state.events.append(event)
  }

  private static func event(_ json: Substring) -> Event? {
    guard let object = try? JSONSerialization.jsonObject(with: Data(json.utf8)) as? [String: Any],
      let id = object["id"] as? String, let data = object["data"] as? [String: Any],
      let operation = data["op"] as? String, let kind = kinds[operation], let xid = data["xid"] as? Int,
      let subject = object["subject"] as? String, let key = Int64(subject)
    else { return nil }
    let parts = id.split(separator: ".")
    guard parts.count == 2, let end = LSN(String(parts[0])), let ordinal = UInt64(parts[1]) else {
      return nil
    }
    return Event(
      id: id, end: end, ordinal: ordinal, xid: UInt32(xid),
      step: RowStep(kind: kind, key: key, status: kind == .delete ? nil : data["status"] as? String))
  }

  private static let kinds: [String: RowStep.Kind] = ["insert": .insert, "update": .move, "delete": .delete]

  /// What it saw, as a log would hold it.
  var history: LoggedHistory {
    var transactions: [LoggedHistory.Transaction] = []
    for event in events {
      if transactions.last?.commitEnd != event.end {
        transactions.append(.init(xid: event.xid, commitEnd: event.end))
      }
      transactions[transactions.count - 1].steps.append(event.step)
    }
    return LoggedHistory(transactions)
  }
}
