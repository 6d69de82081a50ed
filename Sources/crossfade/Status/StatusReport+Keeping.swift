import Migration
import Operations
import PGOutput

extension StatusReport {
  /// How the log is kept, a line each of archiving and retention.
  var keepingFacts: [(String, String)] {
    guard let keeping = standing.process?.keeping else { return [] }
    var facts: [(String, String)] = []
    if let archive = keeping.archive { facts.append(("archive", text(archive))) }
    facts.append(("retention", Self.text(keeping)))
    if !subscribers.isEmpty {
      facts.append(("events", Self.text(subscribers)))
    }
    return facts
  }

  /// Who is being sent events; nobody by a process that has ended.
  private var subscribers: [SubscriberStanding] {
    standing.process.map { $0.isAlive ? $0.subscribers : [] } ?? []
  }

  /// The same for programs.
  var subscriberList: JSONValue {
    .array(
      subscribers.map { subscriber in
        [
          "name": subscriber.name.map { .string($0) } ?? .null,
          "peer": subscriber.peer.map { .string($0) } ?? .null,
          "position": subscriber.position.map { .string($0) } ?? .null,
          "behind_bytes": .unsigned(subscriber.behind),
          "stalled_s": subscriber.stalled.map { .integer($0) } ?? .null,
        ]
      })
  }

  /// How many there are, how far the last of them is, and who takes nothing.
  static func text(_ subscribers: [SubscriberStanding]) -> String {
    var text =
      "\(HumanFormat.count(subscribers.count)) \(subscribers.count == 1 ? "subscriber" : "subscribers")"
    let behind = subscribers.map(\.behind).max() ?? 0
    text +=
      behind == 0
      ? ", none behind" : ", the furthest \(HumanFormat.bytes(behind)) of the log behind"
    let stalled = subscribers.filter { $0.stalled != nil }
    guard let longest = stalled.compactMap(\.stalled).max() else { return text }
    let names = Set(stalled.compactMap(\.name)).sorted().joined(separator: ", ")
    return text
      + "; \(HumanFormat.count(stalled.count)) \(stalled.count == 1 ? "takes" : "take") nothing, for \(longest) s"
      + (names.isEmpty ? "" : " (\(names))")
  }

  private func text(_ archive: KeepingStanding.Archive) -> String {
    var text = archive.through.map { "through \($0)" } ?? "nothing yet"
    if archive.waiting > 0 {
      let since = archive.waitingSince.map { Double(standing.now.unixMicroseconds) / 1e6 - Double($0) }
      text +=
        "; \(HumanFormat.count(archive.waiting)) \(archive.waiting == 1 ? "segment waits" : "segments wait")"
      if let since { text += ", the oldest for \(Self.time(max(0, since)))" }
    }
    return text + (archive.failing.map { "; it fails: \($0)" } ?? "")
  }

  private static func text(_ keeping: KeepingStanding) -> String {
    if let waits = keeping.waitsFor { return "waits: \(waits)" }
    guard !keeping.keepsAll else { return "everything is kept: the definition has no log.retain" }
    return
      "\(HumanFormat.count(keeping.dropped)) \(keeping.dropped == 1 ? "segment" : "segments") dropped since the start"
  }

  /// The same for programs.
  var keeping: JSONValue {
    guard let keeping = standing.process?.keeping else { return .null }
    return [
      "archive": keeping.archive.map { archive in
        [
          "through": archive.through.map { .string("\($0)") } ?? .null,
          "waiting_segments": .integer(Int64(archive.waiting)),
          "waiting_since": archive.waitingSince.map { .integer($0) } ?? .null,
          "failing": archive.failing.map { .string($0) } ?? .null,
        ]
      } ?? .null,
      "keeps_all": .bool(keeping.keepsAll), "dropped_segments": .integer(Int64(keeping.dropped)),
      "retention_waits_for": keeping.waitsFor.map { .string($0) } ?? .null,
    ]
  }
}
