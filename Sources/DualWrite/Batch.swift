import PGOutput

/// Changes gathered for one commit of the target.
struct Batch {
  /// The distinct keys touched.
  var keys: KeyTable
  /// Statuses the map does not know, as `KeyTable.Entry.unknown` numbers them; nil is NULL.
  var unknown: [(status: [UInt8]?, position: LSN)] = []
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
  }
}
