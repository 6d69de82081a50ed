package import PGOutput

/// What is to be done with a spool, in the order of the stream.
package enum SpoolStep: Equatable {
  /// Forget all that was spooled of a transaction.
  case discard(TransactionID)
  /// Keep its first bytes only: a savepoint was rolled back to.
  case cut(TransactionID, bytes: Int)
  /// Take these bytes out, ascending: subtransactions that the server has rolled back without saying so.
  case remove(TransactionID, [Range<Int>])
  /// It is committed: put it into the log between these two records, then forget it.
  case splice(TransactionID, Frame)
  /// It is prepared: make it durable under its name.
  case prepare(PreparedTransaction)
  /// A prepared one is committed: put it into the log between these two records; forget it once that is durable.
  case splicePrepared(PreparedTransaction, Frame)
  /// A prepared one that leaves nothing is committed, and its commit ends here; forget it once that is durable, since its
  /// commit may be sent again.
  case commitEmpty(TransactionID, end: LSN)
  /// A prepared one has been rolled back.
  case forgetPrepared(TransactionID)

  /// The `B` and `C` that make a spooled transaction one of protocol 1.
  package struct Frame: Equatable {
    package var beginWALStart: UInt64
    package var begin: [UInt8]
    package var end: LSN
    package var commit: [UInt8]

    /// The frame of a transaction as its commit tells it.
    init(xid: TransactionID, walStart: UInt64, commit: Commit) {
      beginWALStart = walStart
      var writer = WireWriter()
      Begin(finalLSN: commit.commitLSN, commitTime: commit.commitTime, xid: xid).encode(to: &writer)
      begin = writer.bytes
      writer.removeAll()
      commit.encode(to: &writer)
      self.commit = writer.bytes
      end = commit.endLSN
    }
  }
}
