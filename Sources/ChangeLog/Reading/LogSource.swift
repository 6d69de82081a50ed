public import PGOutput

/// A change log to be read: its directory and, in the process that writes it, the writer's tail.
///
///     let log = LogSource(directory: "/var/lib/crossfade/log")
///     for try await transaction in log.transactions(after: checkpoint, tables: ["public.transactions"]) {
///       while let change = try transaction.next() {
///         print(change.position, change.kind, try change.new("status") ?? .null)
///       }
///       checkpoint = transaction.position
///     }
///
/// Any number of readers, in any number of processes, may read a log at once and while it is written; none takes a
/// lock. A transaction is seen when it is whole, in the order of commits, and only once.
public struct LogSource: Sendable {
  /// The log's directory.
  public let directory: String
  /// The tail of the writer in this process: what it holds need not be read from files.
  public let tail: LogTail?
  /// How segments are brought back that are archived and no longer held; nil: what is not held cannot be read.
  public let restore: LogRestore?

  /// The log in a directory. Nothing is opened yet.
  public init(directory: String, tail: LogTail? = nil, restore: LogRestore? = nil) {
    self.directory = directory
    self.tail = tail
    self.restore = restore
  }

  /// The transactions that end after `position`, in order; then, with `follow`, those to come, as they come.
  ///
  /// Waiting costs a thread that sleeps, not one of the cooperative pool; it is woken by the writer's tail, or by the
  /// file system when another process writes. The sequence ends at `through`, at the log's end without `follow`, when
  /// the tail is closed, or when the task is cancelled.
  ///
  /// - Parameters:
  ///   - position: What was handled last; nil begins at the first position that is held, or can be
  ///     restored. A position in the middle of a
  ///     transaction gives the rest of its changes.
  ///   - through: The last transaction's end: what ends later is not given, nor waited for.
  ///   - tables: `schema.table`, unquoted: transactions without a change of one of them are passed over, and so are
  ///     other changes, messages included. As long as the log has described none of them, frames are not even
  ///     unpacked.
  ///   - keys: A few rows of these tables, looked for in the frames as they are: for changes of all others nothing is made.
  ///   - follow: Whether to wait for more at the log's end.
  public func transactions(
    after position: Position? = nil, through: LSN? = nil, tables: Set<String>? = nil, keys: LogKeys? = nil,
    follow: Bool = true
  ) -> LogTransactions {
    LogTransactions(
      source: self,
      selection: LogSelection(after: position, through: through, tables: tables, keys: keys, follows: follow))
  }

  /// The single changes after `position`: those of `transactions`, one after the other.
  public func changes(
    after position: Position? = nil, through: LSN? = nil, tables: Set<String>? = nil, keys: LogKeys? = nil,
    follow: Bool = true
  ) -> LogChanges {
    LogChanges(
      transactions: transactions(
        after: position, through: through, tables: tables, keys: keys, follow: follow))
  }
}

extension LogSource {
  /// The units after a position, record by record, up to the log's end: for those who copy records.
  package func units(after position: Position? = nil, through: LSN? = nil) throws(ChangeLogError)
    -> UnitCursor
  {
    try UnitCursor(self, LogSelection(after: position, through: through))
  }
}

/// Which part of a log is read.
struct LogSelection: Sendable {
  var after: Position?
  var through: LSN?
  var tables: Set<String>?
  var keys: LogKeys?
  /// The prefix of messages that are wanted beside the tables, of transactions; nil: where tables or rows are asked for,
  /// no message is.
  var messages: [UInt8]?
  /// Whether the log's end is waited at.
  var follows = false
}
