package import ChangeLog
import Glibc
package import PGOutput

/// The spools of the transactions that are not committed yet, in a directory beside the log's segments.
///
/// Used by one thread at a time and handed over, never shared (hence `@unchecked Sendable`). In memory stand at most `pendingLimit` bytes of records, whatever the number and size
/// of the transactions; a short one never touches the disk. Only a prepared transaction's spool has to last: the
/// others are sent again after a lost connection.
package final class SpoolStore: @unchecked Sendable {
  /// Bytes of records in memory, all transactions together, above which the largest becomes a chunk.
  package static let pendingLimit = 4 << 20
  /// Bytes of one transaction that make a chunk.
  package static let chunkBytes = 256 << 10

  private let chunk: Int
  private let directory: String
  private let calls: FileCalls
  private let compressor: FrameCompressor
  private let decompressor: FrameDecompressor
  private let buffer = ByteBuffer(capacity: 64 << 10)
  private var isMade = false

  private var open: [TransactionID: Spool] = [:]
  private var prepared: [TransactionID: Spool] = [:]
  private var pendingBytes = 0
  private var namesChanged = false

  /// A store in a log's directory; nothing is made before it is needed.
  package init(
    logDirectory: String, calls: FileCalls = .system, chunkBytes: Int = SpoolStore.chunkBytes
  ) throws(ChangeLogError) {
    chunk = chunkBytes
    directory = logDirectory + "/spool"
    self.calls = calls
    compressor = try FrameCompressor()
    decompressor = try FrameDecompressor()
  }

  /// Removes what a dead process left of streamed transactions, and finds the prepared ones.
  ///
  /// - Parameter logEnd: the log's watermark: a prepared one that was being put into the log has arrived there, or is to
  ///   be committed once more.
  package func recover(logEnd: LSN) throws(ChangeLogError) -> [PreparedTransaction] {
    var found: [PreparedTransaction] = []
    let names = try Directory.names(in: directory)
    isMade = !names.isEmpty
    for name in names {
      let path = "\(directory)/\(name)"
      switch SpoolDirectory.kind(of: name) {
      case .open: try Spool(path: path, calls: calls).remove()
      case .committing(_, let end) where end <= logEnd: try Spool(path: path, calls: calls).remove()
      case .committing(let xid, _):
        var spool = Spool(path: path, calls: calls)
        try spool.rename(to: self.path(xid, SpoolFormat.preparedSuffix))
        found.append(try load(xid))
      case .prepared(let xid): found.append(try load(xid))
      case nil: break
      }
    }
    // Also when it is empty: the name of one that was rolled back may have been removed and not be gone yet.
    if access(directory, F_OK) == 0 { try Directory.sync(directory, calls) }
    return found.sorted { $0.prepareLSN < $1.prepareLSN }
  }

  /// Adds records to a transaction. To be followed by `flushExcess`.
  package func append(_ xid: TransactionID, _ records: RecordGroup) {
    let spool = open[xid] ?? Spool(path: path(xid, SpoolFormat.openSuffix), calls: calls)
    records.withUnsafeBytes { spool.pending.append($0) }
    open[xid] = spool
    pendingBytes += records.byteCount
  }

  /// Writes what is more than may stand in memory: this transaction's when it makes a chunk, then the largest. On
  /// `diskFull` nothing is lost and the same call can be made again.
  package func flushExcess(_ xid: TransactionID) throws(ChangeLogError) {
    if let spool = open[xid], spool.pending.count >= chunk { try flush(xid) }
    while pendingBytes > Self.pendingLimit {
      guard let largest = open.max(by: { $0.value.pending.count < $1.value.pending.count }) else { return }
      try flush(largest.key)
    }
  }

  /// Keeps a transaction's first bytes. One that is not there has none to cut.
  package func cut(_ xid: TransactionID, to bytes: Int) throws(ChangeLogError) {
    // Taken out of the map, so that its array of chunks is not copied; put back whatever happens.
    guard var spool = open.removeValue(forKey: xid) else { return }
    let before = spool.pending.count
    defer { open[xid] = spool }
    try spool.cut(to: bytes)
    pendingBytes -= before - spool.pending.count
  }

  /// Takes ranges of bytes, ascending, out of a transaction. The spool is written anew; until that is done it is as
  /// before.
  package func remove(_ ranges: [Range<Int>], of xid: TransactionID) throws(ChangeLogError) {
    guard let spool = open[xid] else { return }
    try make()
    var next = Spool(path: path(xid, ".again" + SpoolFormat.openSuffix), calls: calls)
    var at = 0
    var left = ranges[...]
    try spool.read(decompressor) { (records) throws(ChangeLogError) in
      var start = 0
      let end = at + records.count
      while start < records.count {
        while let range = left.first, range.upperBound <= at + start { left.removeFirst() }
        let stop = left.first.map { min($0.lowerBound, end) } ?? end
        if stop > at + start {
          next.pending.append(UnsafeRawBufferPointer(rebasing: records[start..<(stop - at)]))
          start = stop - at
        } else {
          start = min(left.first?.upperBound ?? end, end) - at
        }
      }
      at = end
      if next.pending.count >= chunk { try next.flush(compressor, buffer) }
    }
    pendingBytes += next.pending.count - spool.pending.count
    if spool.hasFile { try spool.remove() }
    if next.hasFile {
      try next.rename(to: path(xid, SpoolFormat.openSuffix))
    } else {
      next.place(at: path(xid, SpoolFormat.openSuffix))
    }
    open[xid] = next
  }

  /// Forgets a transaction.
  package func discard(_ xid: TransactionID) throws(ChangeLogError) {
    guard let spool = open.removeValue(forKey: xid) else { return }
    pendingBytes -= spool.pending.count
    if spool.hasFile { try spool.remove() }
  }

  /// Forgets all that are not prepared.
  package func discardOpen() throws(ChangeLogError) {
    for xid in Array(open.keys) { try discard(xid) }
  }

  /// Calls `body` with a transaction's records, run by run.
  package func read(
    _ xid: TransactionID, _ body: (UnsafeRawBufferPointer) throws(ChangeLogError) -> Void
  ) throws(ChangeLogError) {
    try open[xid]?.read(decompressor, body)
  }

  /// Bytes of records that stand in memory.
  package var bytesInMemory: Int { pendingBytes }

  // Prepared transactions.

  /// Makes a transaction durable. On `diskFull` the same call can be made again.
  package func prepare(_ transaction: PreparedTransaction) throws(ChangeLogError) {
    let xid = transaction.xid
    try make()
    try flush(xid)
    var spool = open[xid] ?? Spool(path: path(xid, SpoolFormat.openSuffix), calls: calls)
    let trailer = ByteBuffer(capacity: 128)
    SpoolFormat.encode(transaction, of: spool.chunks, into: trailer)
    try spool.seal(with: trailer.bytes)
    withExtendedLifetime(trailer) {}
    try spool.rename(to: path(xid, SpoolFormat.preparedSuffix))
    try Directory.sync(directory, calls)
    open[xid] = nil
    prepared[xid] = spool
  }

  /// Notes, durably, that a prepared transaction is about to be put into the log, where it will end at `end`.
  package func beginCommit(_ xid: TransactionID, end: LSN) throws(ChangeLogError) {
    guard var spool = prepared[xid] else { return }
    let name = "\(SpoolFormat.name(xid)).\(SpoolFormat.hex(end.rawValue, 16))\(SpoolFormat.committingSuffix)"
    try spool.rename(to: "\(directory)/\(name)")
    prepared[xid] = spool
    try Directory.sync(directory, calls)
  }

  /// Calls `body` with a prepared transaction's records, run by run.
  package func readPrepared(
    _ xid: TransactionID, _ body: (UnsafeRawBufferPointer) throws(ChangeLogError) -> Void
  ) throws(ChangeLogError) {
    guard let spool = prepared[xid] else {
      throw .damaged(file: path(xid, SpoolFormat.preparedSuffix), offset: 0, reason: "the spool is not there")
    }
    try spool.read(decompressor, body)
  }

  /// Forgets a prepared transaction.
  package func forgetPrepared(_ xid: TransactionID) throws(ChangeLogError) {
    guard let spool = prepared.removeValue(forKey: xid) else { return }
    try spool.remove()
    namesChanged = true
  }

  /// Makes it durable that files were removed: a prepared transaction would come back, and wait for ever.
  package func syncNames() throws(ChangeLogError) {
    guard namesChanged else { return }
    try Directory.sync(directory, calls)
    namesChanged = false
  }

  // Whether it is complete.

  /// Whether every prepared transaction that the slot has sent and that is not settled is here. Else a commit whose
  /// transaction is not here is one that was lost.
  package var isComplete: Bool { access(directory + "/" + SpoolDirectory.complete, F_OK) == 0 }

  /// Says so, durably: the slot is new, or does not send prepared transactions yet.
  package func markComplete() throws(ChangeLogError) {
    guard !isComplete else { return }
    try make()
    _ = try LogFile(path: directory + "/" + SpoolDirectory.complete, mode: .create, calls: calls)
    try Directory.sync(directory, calls)
  }

  private func flush(_ xid: TransactionID) throws(ChangeLogError) {
    guard var spool = open[xid], spool.pending.count > 0 else { return }
    try make()
    let before = spool.pending.count
    try spool.flush(compressor, buffer)
    open[xid] = spool
    pendingBytes -= before
  }

  private func load(_ xid: TransactionID) throws(ChangeLogError) -> PreparedTransaction {
    let found = try SpoolScanner(path: path(xid, SpoolFormat.preparedSuffix), calls: calls).scan()
    guard found.transaction.xid == xid else {
      throw .damaged(
        file: path(xid, SpoolFormat.preparedSuffix), offset: found.spool.fileEnd,
        reason: "it holds transaction \(found.transaction.xid)")
    }
    prepared[xid] = found.spool
    return found.transaction
  }

  private func make() throws(ChangeLogError) {
    guard !isMade else { return }
    try SpoolDirectory.make(directory, calls)
    isMade = true
  }

  private func path(_ xid: TransactionID, _ suffix: String) -> String {
    "\(directory)/\(SpoolFormat.name(xid))\(suffix)"
  }
}
