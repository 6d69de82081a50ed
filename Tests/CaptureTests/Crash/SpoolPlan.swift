import PGOutput

@testable import Capture

/// What the slot sends, one after the other; positions are the server's and rise.
enum SpoolHappening {
  /// A transaction that comes when it is committed.
  case plain(commit: UInt64)
  /// A streamed one: in so many words, then committed.
  case streamed(UInt32, String, commit: UInt64)
  /// A streamed one that nobody ends.
  case begun(UInt32, String)
  case prepared(UInt32, String, at: UInt64)
  /// A savepoint was rolled back before it: so many words are kept.
  case preparedInPart(UInt32, String, keeping: Int, at: UInt64)
  case committed(UInt32, at: UInt64)
  case rolledBack(UInt32, at: UInt64)
  case connectionLost
  case restart
  case complete
  case doubt

  /// Where the source stands after it; nil when it says nothing of that.
  var end: UInt64? {
    switch self {
    case .plain(let at), .streamed(_, _, let at), .committed(_, let at), .rolledBack(_, let at),
      .prepared(_, _, let at), .preparedInPart(_, _, _, let at):
      at + 5
    case .begun, .connectionLost, .restart, .complete, .doubt: nil
    }
  }
}

/// What must be held after so many happenings.
struct SpoolTruth: Equatable {
  var log: [String] = []
  var prepared: [UInt32: [String]] = [:]
  var isComplete = false

  init(_ happenings: some Sequence<SpoolHappening>) {
    for happening in happenings { take(happening) }
  }

  private mutating func take(_ happening: SpoolHappening) {
    func framed(_ words: [String], _ at: UInt64) -> [String] { ["B\(at)"] + words + ["C\(at):\(at + 5)"] }
    switch happening {
    case .plain(let at): log += framed(["I7"], at)
    case .streamed(_, let words, let at): log += framed(Self.split(words), at)
    case .prepared(let xid, let words, _): prepared[xid] = Self.split(words)
    case .preparedInPart(let xid, let words, let kept, _):
      prepared[xid] = Array(Self.split(words).prefix(kept))
    case .committed(let xid, let at): log += framed(prepared.removeValue(forKey: xid) ?? [], at)
    case .rolledBack(let xid, _): prepared[xid] = nil
    case .complete: isComplete = true
    case .doubt: isComplete = false
    case .begun, .connectionLost, .restart: break
    }
  }

  static func split(_ words: String) -> [String] { words.split(separator: " ").map(String.init) }
}

extension SpoolHappening {
  /// More than a chunk of records here.
  private static let long = "Mlong/" + String(repeating: "x", count: 300)

  static let plan: [SpoolHappening] = [
    .complete, .plain(commit: 20), .prepared(3, "R7 I7 U7", at: 30), .begun(9, "R7 \(long) I7"),
    .preparedInPart(4, "R7 \(long) U7 D7", keeping: 3, at: 40), .streamed(5, "R7 \(long) I7", commit: 50),
    .plain(commit: 60), .committed(3, at: 70), .prepared(6, "R7 D7", at: 80), .connectionLost,
    .rolledBack(6, at: 90), .prepared(3, "R7 T7", at: 100), .restart, .committed(4, at: 110), .doubt,
    .plain(commit: 120), .rolledBack(3, at: 130),
  ]
}
