import ChangeLog
import Derivation
import PGOutput
import Testing

@testable import Events

@Suite("Events as an asynchronous sequence", .timeLimit(.minutes(1))) struct EventSubscriptionTests {
  @Test(
    "gives what is there, then what comes, whether or not it is the process that writes; ends when cancelled",
    arguments: [true, false])
  func follow(_ hasTail: Bool) async throws {
    let log = try EventLog(follows: hasTail)
    try log.commit(second: 1, [.insert(row(1, "AUTH")), .insert(row(2, "CAPTURED"))])
    let subscription = EventSubscription(
      log.source, try EventLog.definition(), map: StateMap(EventLog.states), after: .earliest)
    let task = Task { () throws(ChangeLogError) -> [String] in
      var codes: [String] = []
      for try await event in subscription {
        if case .state(let state) = event.state { codes.append(state.code.string) }
        if codes.count == 3 { break }
      }
      return codes
    }
    try await Task.sleep(for: .milliseconds(100))
    try log.commit(second: 2, [.insert(row(3, "AUTH"))])
    #expect(try await task.value == ["authorized", "captured", "authorized"])
    let idle = Task { () throws(ChangeLogError) -> Int in
      var count = 0
      for try await _ in subscription { count += 1 }
      return count
    }
    try await Task.sleep(for: .milliseconds(100))
    idle.cancel()
    #expect(try await idle.value == 3)
  }

  @Test("without following it ends where the log does; what is not held is refused")
  func batch() async throws {
    let log = try EventLog()
    let end = try log.commit(second: 1, [.insert(row(1, "AUTH"))])
    let definition = try EventLog.definition()
    var count = 0
    for try await _ in EventSubscription(log.source, definition, follow: false) { count += 1 }
    #expect(count == 1)
    for try await _ in EventSubscription(
      log.source, definition, after: .after(.init(endLSN: end)), follow: false)
    {
      count += 1
    }
    #expect(count == 1)
    await #expect(throws: ChangeLogError.self) {
      for try await _ in EventSubscription(log.source, definition, after: .after(.init(endLSN: .invalid))) {}
    }
  }
}
