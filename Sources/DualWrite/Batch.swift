import PGOutput
import Postgres

/// Changes gathered for one commit of the target.
struct Batch {
  /// The distinct keys touched.
  var keys: KeyTable
  /// What cannot be derived, as `KeyTable.Entry.unknown` numbers it.
  var unknown: [Unmapped] = []
  /// The 32-bit numbers of the transactions in it, each once.
  var xids: [UInt32] = []
  /// The end of the last transaction that is whole with this batch; nil when there is none.
  var endLSN: LSN?
  /// Transactions that are whole with this batch.
  var transactions = 0
  /// Row changes taken in, before coalescing.
  var changes = 0
  /// The table was truncated: nothing quarantined before stands any more.
  var truncated = false

  /// How the application wrote, up to `endLSN`.
  var account = Account()
  /// The ends that its checkpoint may move over; empty while a row is held that one of them needs.
  var path = CheckpointPath()
  /// What the flight carries in the standings in which nothing is derived from the row as it stands.
  var course: CourseFlight?
  /// The direction that takes effect with this flight's commit.
  var turn: Direction?

  init(capacity: Int) { keys = KeyTable(capacity: capacity) }

  var isEmpty: Bool { keys.count == 0 && endLSN == nil && !truncated }

  mutating func removeAll() {
    keys.removeAll()
    unknown.removeAll(keepingCapacity: true)
    xids.removeAll(keepingCapacity: true)
    endLSN = nil
    transactions = 0
    changes = 0
    truncated = false
    account = Account()
    path = CheckpointPath()
    course = nil
    turn = nil
  }
}

/// A row that is left as it is, and goes into quarantine.
struct Unmapped {
  /// The old column; nil is NULL.
  var status: [UInt8]?
  /// The end of the transaction that brought it; its commit record while that is under way.
  var position: LSN
  var refusal = Verdict.Refusal.unknownStatus
  /// What the change told, where more than the status decides; and the version of the row it left.
  var sight: Sight?
  var state: [UInt8]?
  var version: UInt32 = 0
  /// Whether the server itself said so: our reading of the map changes nothing then.
  var isFinal = false
  /// What the server has against the old text of the state in that column: it is why the bridge could not write it.
  var misfit: ServerError?

  /// Why, with the value that is not known.
  var reason: String {
    if let misfit {
      return "the bridge could not write the old text: \(misfit.message) (SQLSTATE \(misfit.sqlState))"
    }
    guard refusal == .unknownState, let state else { return refusal.reason }
    return refusal.reason + ": '" + String(decoding: state.prefix(64), as: UTF8.self) + "'"
  }
}

/// A flight of the standings `both` and `rest`: what is written to which version, and how far the checkpoint may go.
struct CourseFlight {
  /// In the keys' order.
  var lines: [IntentionLine]
  /// The checkpoint stays before this, whatever the flight finds.
  var earliestWaiting: LSN?
  /// Whether there is anything to write at all: not at rest.
  var derives: Bool

  /// How many statements write.
  var writes: Int { derives ? Self.ways(lines[...]).count : 0 }

  /// The ways that there are, each a statement.
  static func ways(_ lines: ArraySlice<IntentionLine>) -> [Way] {
    [Way.forward, .reverse].filter { way in lines.contains { $0.way == way } }
  }
}
