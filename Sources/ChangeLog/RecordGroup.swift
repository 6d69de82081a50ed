import Glibc
public import PGOutput

/// A growable flat buffer of whole records, filled by the receiver and appended to the log in one go.
///
/// While records come in it keeps account of their transactions by looking at each payload's first bytes, so
/// that the writer need not walk them again. It is used by one thread at a time and handed over between threads,
/// never shared: hence `@unchecked Sendable`.
public final class RecordGroup: @unchecked Sendable {
  private(set) var base: UnsafeMutableRawPointer
  private var capacity: Int
  /// The runtime's exclusivity check costs a third of `append`; no method of this class calls out while it has access.
  @exclusivity(unchecked) private(set) var account = GroupAccount()

  /// A group with room for `capacity` bytes before it grows.
  public init(capacity: Int = 512 << 10) {
    self.capacity = max(capacity, 64)
    base = .allocate(byteCount: self.capacity, alignment: 16)
  }

  deinit { base.deallocate() }

  /// Adds one record: `payload` is one pgoutput message of protocol 1, `walStart` the LSN it came with.
  public func append(walStart: UInt64, payload: UnsafeRawBufferPointer) {
    let size = payload.count
    let record = add(walStart: walStart, size: size)
    if let source = payload.baseAddress { memcpy(record, source, size) }
    account.note(UnsafeRawBufferPointer(start: record, count: size))
  }

  /// Adds one record without the `idSize` bytes after its tag: the transaction id that messages of a streamed block
  /// carry, and protocol 1 has not. A payload too short for that is taken as it is.
  package func append(walStart: UInt64, payload: UnsafeRawBufferPointer, idSize: Int) {
    guard idSize > 0, payload.count > idSize else { return append(walStart: walStart, payload: payload) }
    let size = payload.count - idSize
    let record = add(walStart: walStart, size: size)
    record.storeBytes(of: payload[0], as: UInt8.self)
    if let source = payload.baseAddress { memcpy(record + 1, source + 1 + idSize, size - 1) }
    account.note(UnsafeRawBufferPointer(start: record, count: size))
  }

  /// Writes a record's prefix; gives the place of its payload.
  @inline(__always)
  private func add(walStart: UInt64, size: Int) -> UnsafeMutableRawPointer {
    let start = account.total.bytes
    let needed = start + LogFormat.recordPrefix + size
    if needed > capacity { grow(to: needed) }
    let at = base + start
    at.storeBytes(of: UInt32(truncatingIfNeeded: size).bigEndian, as: UInt32.self)
    at.storeBytes(of: walStart.bigEndian, toByteOffset: 4, as: UInt64.self)
    return at + LogFormat.recordPrefix
  }

  /// Adds whole records, each with its prefix.
  package func append(records: UnsafeRawBufferPointer) throws(ChangeLogError) {
    let start = account.total.bytes
    let needed = start + records.count
    if needed > capacity { grow(to: needed) }
    if let source = records.baseAddress { memcpy(base + start, source, records.count) }
    var copied = LogRecordIterator(UnsafeRawBufferPointer(start: base + start, count: records.count))
    while let record = try copied.next() { account.note(record.payload) }
  }

  private func grow(to needed: Int) {
    let larger = max(needed, capacity + capacity / 2)
    let memory = UnsafeMutableRawPointer.allocate(byteCount: larger, alignment: 16)
    memcpy(memory, base, account.total.bytes)
    base.deallocate()
    base = memory
    capacity = larger
  }

  /// Empties the group; without `keepingCapacity`, or after it has held more than 4 MiB, its memory shrinks again.
  public func removeAll(keepingCapacity: Bool = true) {
    account = GroupAccount()
    let limit = keepingCapacity ? 4 << 20 : 64
    guard capacity > limit else { return }
    base.deallocate()
    capacity = keepingCapacity ? 512 << 10 : limit
    base = .allocate(byteCount: capacity, alignment: 16)
  }

  /// Bytes of the records, with their prefixes of twelve bytes.
  public var byteCount: Int { account.total.bytes }
  /// Records of every kind.
  public var recordCount: Int { account.total.records }
  /// Whether there are none.
  public var isEmpty: Bool { account.total.records == 0 }
  /// Commit records: transactions completed in this group.
  public var transactions: Int { account.total.transactions }
  /// Insert, Update, Delete, Truncate and Message records.
  public var changes: Int { account.total.changes }
  /// Where the first transaction (or message outside of one) completed in this group ends.
  public var firstCommitEnd: LSN? { account.firstEnd == 0 ? nil : LSN(rawValue: account.firstEnd) }
  /// Where the last one ends.
  public var lastCommitEnd: LSN? { account.lastEnd == 0 ? nil : LSN(rawValue: account.lastEnd) }
  /// Whether the first record belongs to a transaction begun in an earlier group.
  public var beginsInsideTransaction: Bool { account.opening == .inside }
  /// Whether the last record belongs to a transaction that goes on in a later group.
  public var endsInsideTransaction: Bool { account.inside }
  /// Whether there are Relation or Type messages in it.
  public var containsRelations: Bool { account.total.relations > 0 }

  /// Calls `body` with the records' bytes, which are valid only in there.
  public func withUnsafeBytes<R, E: Error>(
    _ body: (UnsafeRawBufferPointer) throws(E) -> R
  ) throws(E) -> R {
    try body(bytes)
  }

  var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: base, count: account.total.bytes) }
}
