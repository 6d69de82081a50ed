import ChangeLog
import Foundation
import LocalCluster
import PGOutput
import Testing

@testable import Subscriptions

/// Retention drops what a subscriber has before it that takes nothing: it holds nothing back, and is told.
@Suite("The log is pruned under a subscriber")
struct PrunedStreamTests {
  /// A stalled subscriber with far more of the log before it than the sockets hold.
  private func stalled(_ served: Served, _ log: ServedLog) async throws -> RawSubscriber {
    try log.commit()
    let port = try #require(served.server.port)
    let subscriber = try #require(
      RawSubscriber(port: port, path: "/v1/events?after=earliest", paused: true))
    for _ in 0..<60 { try log.commit(40, padding: 4_000) }
    let isStalled = await eventually {
      served.book.entries.first?.stalled(at: .now + SubscriberBook.stall) != nil
    }
    try #require(isStalled)
    return subscriber
  }

  @Test(
    "one that is stalled is told which part is gone, and goes on behind it; asked for, that part gives 410")
  func gap() async throws {
    try await Served.withLog(segmentBytes: 1_500, tailBytes: 100_000) { served, log in
      let subscriber = try await stalled(served, log)
      let plan = try LogPruner(directory: log.path).prune(RetentionRules(bytes: 4_000))
      let first = try #require(plan.firstAfter)
      #expect(plan.drops.count > 3)

      subscriber.resume()
      let last = try #require(log.ids.last)
      #expect(await eventually(60) { subscriber.ids.last == last })
      #expect(subscriber.gaps.count == 1)
      let told = try #require(subscriber.gaps.first)
      #expect(told.contains("it was dropped before it was read: the log begins at \(first)"), "\(told)")
      let gap = try #require(
        (try JSONSerialization.jsonObject(with: Data(told.utf8)) as? [String: Any])?["data"] as? [String: Any]
      )
      let after = try #require((gap["after"] as? String).flatMap { Position($0) })
      let next = try #require((gap["next"] as? String).flatMap { LSN($0) })
      // All there is before the gap, and all behind it.
      let wanted = log.ids.filter { id in
        guard let position = Position(id) else { return false }
        return position <= after || position.endLSN >= next
      }
      let known = Set(log.ids)
      #expect(subscriber.ids.filter { known.contains($0) } == wanted)
      #expect(wanted.count < log.ids.count && next > first)
      #expect(subscriber.ids.count == wanted.count + 1)
      let positions = subscriber.ids.compactMap { Position($0) }
      #expect(positions == positions.sorted())
      // It goes on: what is committed now comes.
      try log.commit()
      #expect(await eventually { subscriber.ids.last == log.ids.last })
      subscriber.leave()

      let refused = try await served.get("/v1/events?after=\(after)&wait=0")
      #expect(refused.status == 410 && refused.body.contains("\"first\":\"\(first)\""), "\(refused)")
    }
  }

  @Test("with an archive nothing is gone: what is not held is brought back for it, and for who comes later")
  func archived() async throws {
    var template = Array("/tmp/crossfade-archive-XXXXXX".utf8CString)
    let archive = String(cString: try #require(mkdtemp(&template)))
    defer { _ = try? ChildProcess(["rm", "-rf", archive]).wait(for: .seconds(10)) }
    try await Served.withLog(segmentBytes: 1_500, tailBytes: 100_000, archive: archive) { served, log in
      let subscriber = try await stalled(served, log)
      let archiver = LogArchiver(
        directory: log.path, archive: ShellCommand(try ShellTemplate("cp %p \(archive)/%f")), restore: nil)
      while case .archived = archiver.step() {}
      var rules = RetentionRules(bytes: 4_000)
      rules.archive = .trusted
      #expect(try LogPruner(directory: log.path).prune(rules).drops.count > 3)

      subscriber.resume()
      #expect(await eventually(60) { subscriber.ids.count == log.ids.count })
      #expect(subscriber.ids == log.ids && subscriber.gaps.isEmpty)
      subscriber.leave()
      let port = try #require(served.server.port)
      let late = try #require(RawSubscriber(port: port, path: "/v1/events?after=earliest&wait=0"))
      #expect(await eventually(60) { late.isOver })
      #expect(late.ids == log.ids)
    }
  }
}
