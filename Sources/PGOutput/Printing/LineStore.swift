/// Where a transaction's printed changes wait for its commit, and where finished lines go.
public protocol LineStore {
  /// What can go wrong with it; `Never` in memory.
  associatedtype Failure: Error

  /// Bytes that wait under this transaction.
  func length(of transaction: TransactionID) -> Int

  /// Adds to what waits under a transaction.
  mutating func append(_ bytes: [UInt8], to transaction: TransactionID) throws(Failure)

  /// Forgets what waits beyond a length: part of it was rolled back.
  mutating func truncate(_ transaction: TransactionID, to length: Int) throws(Failure)

  /// Forgets what waits under a transaction, if anything.
  mutating func discard(_ transaction: TransactionID) throws(Failure)

  /// Writes a line out: `head`, what waits under the transaction, `tail`; and forgets it.
  mutating func write(_ head: [UInt8], changesOf transaction: TransactionID, _ tail: [UInt8])
    throws(Failure)

  /// Writes a line out.
  mutating func write(_ line: [UInt8]) throws(Failure)
}

/// A line store in memory.
public struct MemoryLineStore: LineStore, Sendable {
  private var waiting: [TransactionID: [UInt8]] = [:]
  /// The lines written.
  public private(set) var output: [UInt8] = []

  /// An empty store.
  public init() {}

  /// Bytes that wait under this transaction.
  public func length(of transaction: TransactionID) -> Int { waiting[transaction]?.count ?? 0 }

  /// Adds to what waits under a transaction.
  public mutating func append(_ bytes: [UInt8], to transaction: TransactionID) {
    waiting[transaction, default: []].append(contentsOf: bytes)
  }

  /// Forgets what waits beyond a length.
  public mutating func truncate(_ transaction: TransactionID, to length: Int) {
    let extra = self.length(of: transaction) - length
    if extra > 0 { waiting[transaction]?.removeLast(extra) }
  }

  /// Forgets what waits under a transaction.
  public mutating func discard(_ transaction: TransactionID) { waiting[transaction] = nil }

  /// Writes a line out.
  public mutating func write(_ head: [UInt8], changesOf transaction: TransactionID, _ tail: [UInt8]) {
    output.append(contentsOf: head)
    output.append(contentsOf: waiting.removeValue(forKey: transaction) ?? [])
    output.append(contentsOf: tail)
  }

  /// Writes a line out.
  public mutating func write(_ line: [UInt8]) { output.append(contentsOf: line) }
}
