/// Prints what a stream commits as NDJSON, a transaction a line (docs/decode.md).
///
/// Changes are printed when they come, into the store, under their transaction: the printer holds one change at
/// most, and where a rollback may cut.
public struct TransactionPrinter<Store: LineStore> {
  /// Where changes wait and lines go.
  public var store: Store
  private var cuts: [TransactionID: [Cut]] = [:]
  private var json = JSONWriter()

  private struct Cut {
    var ordinal: Int
    var length: Int
  }

  /// A printer into a store.
  public init(store: Store) { self.store = store }

  /// Takes the next event.
  public mutating func take(_ event: AssemblyEvent) throws(Store.Failure) {
    switch event {
    case .nothing, .commitUnseen: break
    case .change(let change): try append(change)
    case .forget(let xid, let ordinal): try forget(xid, from: ordinal)
    case .discard(let xid):
      cuts[xid] = nil
      try store.discard(xid)
    case .commit(let transaction):
      cuts[transaction.xid] = nil
      try write(transaction)
    case .message(let message): try write(message)
    }
  }

  private mutating func append(_ change: Change) throws(Store.Failure) {
    if change.mayBeCut {
      let cut = Cut(ordinal: change.ordinal, length: store.length(of: change.transaction))
      cuts[change.transaction, default: []].append(cut)
    }
    json.removeAll()
    json.change(change.content)
    let separator = change.ordinal == 0 ? [] : [UInt8(ascii: ",")]
    try store.append(separator + json.bytes, to: change.transaction)
  }

  private mutating func forget(_ xid: TransactionID, from ordinal: Int) throws(Store.Failure) {
    guard let index = cuts[xid]?.firstIndex(where: { $0.ordinal >= ordinal }),
      let length = cuts[xid]?[index].length
    else { return }
    cuts[xid]?.removeSubrange(index...)
    try store.truncate(xid, to: length)
  }

  private mutating func write(_ transaction: CommittedTransaction) throws(Store.Failure) {
    json.removeAll()
    json.beginObject()
    json.key("xid")
    json.integer(transaction.xid.rawValue)
    json.key("commit_lsn")
    json.string(transaction.commitLSN.description)
    json.key("end_lsn")
    json.string(transaction.endLSN.description)
    json.key("commit_time")
    json.string(transaction.commitTime.description)
    if let origin = transaction.origin {
      json.key("origin")
      json.string(origin.name)
    }
    if let gid = transaction.gid {
      json.key("gid")
      json.string(gid)
    }
    json.key("changes")
    json.beginArray()
    try store.write(json.bytes, changesOf: transaction.xid, Array("]}\n".utf8))
  }

  private mutating func write(_ message: LogicalMessage) throws(Store.Failure) {
    json.removeAll()
    json.beginObject()
    json.key("message")
    json.beginObject()
    json.members(of: message)
    json.endObject()
    json.endObject()
    try store.write(json.bytes + [UInt8(ascii: "\n")])
  }
}
