import Glibc
public import PGOutput

/// Reads a log in order, from a position on, and follows it as it grows. For one thread at a time (hence
/// `@unchecked Sendable`: it may be handed over, not shared).
///
/// With the writer's tail it takes what is in memory and reads files when it has fallen behind; it sees what is durable.
/// Without one it follows the files that another process writes: it sees what is written, which the writer's
/// machine may lose in a power failure before it is durable; the source then sends it again.
/// Either way a transaction is seen when it is whole.
public final class LogReader: @unchecked Sendable {
  /// Up to where everything was delivered: the end of the last transaction, or a later watermark.
  public private(set) var position: LSN

  /// As `position`, and a watermark that stood right before where the reader began.
  var reach: LSN { max(position, passed) }

  private let passed: LSN
  private let tail: LogTail?
  private let shelf: SegmentShelf
  private let follower: SegmentFollower
  private var fileTail: FileTail?
  /// Where the next frame stands.
  private(set) var cursor: LogCursor
  private var trimmer: ChunkTrimmer
  /// The first chunk of changes, while the relations go before it.
  private var held: (chunk: LogChunk, position: LSN)?

  /// A reader of what comes after `after`: the commit end of the last transaction that was handled.
  ///
  /// Throws `noLog`, `pruned` when `after` is older than what is held, and `aheadOfLog` when the log does not reach it.
  public convenience init(
    directory path: String, after: LSN, tail: LogTail? = nil, restore: LogRestore? = nil
  ) throws(ChangeLogError) {
    try self.init(directory: path, after: after, tail: tail, restore: restore, isTrimming: true)
  }

  /// Without trimming, what it gives begins at the last place up to `after` where a frame ends and nothing is open:
  /// for those who look at each transaction's end themselves.
  init(
    directory path: String, after: LSN, tail: LogTail?, restore: LogRestore? = nil, isTrimming: Bool
  ) throws(ChangeLogError) {
    let directory = LogDirectory(path: path)
    let shelf = SegmentShelf(directory: directory, restore: restore)
    let start = try ReaderStart(shelf: shelf, after: after)
    let end = tail?.durable?.watermark ?? start.held
    guard after <= end else { throw .aheadOfLog(asked: after, end: end) }
    self.tail = tail
    self.shelf = shelf
    position = after
    passed = start.passed
    cursor = start.cursor
    trimmer = ChunkTrimmer(after: isTrimming ? after : .invalid, relations: start.relations)
    follower = try SegmentFollower(shelf: shelf)
    if tail == nil { fileTail = FileTail(directory: directory, from: cursor) }
  }

  /// A reader that goes on behind damage, at a place where no transaction is open. `relations` are those known there,
  /// and `reached` is the end of what was read before.
  init(
    directory path: String, tail: LogTail?, restore: LogRestore?, resuming cursor: LogCursor,
    relations: KnownRelations,
    reached: LSN
  ) throws(ChangeLogError) {
    self.tail = tail
    shelf = SegmentShelf(directory: LogDirectory(path: path), restore: restore)
    position = reached
    passed = reached
    self.cursor = cursor
    trimmer = ChunkTrimmer(after: .invalid, relations: relations)
    follower = try SegmentFollower(shelf: shelf)
    if tail == nil { fileTail = FileTail(directory: shelf.directory, from: cursor) }
  }

  /// The next chunk, waiting for it up to `timeout`; nil when there is none by then, or when the tail was woken or is
  /// closed. Before the first changes comes one chunk with the relations they need, if any were known.
  public func next(timeout: Duration) throws(ChangeLogError) -> LogChunk? {
    try next(timeout: timeout) { _ in true }
  }

  /// Whether relations wait to be given before the first chunk.
  var hasUntoldRelations: Bool { !trimmer.relations.isEmpty }

  /// Relations that wait to be given before the first chunk.
  var untoldRelations: KnownRelations { trimmer.relations }

  /// The next chunk of those that are wanted, told by their announcements: others are passed over unread.
  func next(timeout: Duration, wanting wants: (Announcement) -> Bool) throws(ChangeLogError) -> LogChunk? {
    if let held {
      self.held = nil
      position = held.position
      return held.chunk
    }
    let deadline = MonotonicTime(after: timeout)
    while let (announcement, bytes) = try nextFrame(deadline, wants) {
      let reached =
        announcement.flags.contains(.endsInside) ? position : max(position, announcement.watermark)
      guard let bytes, let chunk = try chunk(announcement, bytes) else {
        position = reached
        continue
      }
      guard !trimmer.relations.isEmpty else {
        position = reached
        return chunk
      }
      held = (chunk, reached)
      return relationsChunk()
    }
    return nil
  }

  private func chunk(_ announcement: Announcement, _ bytes: LogBytes) throws(ChangeLogError) -> LogChunk? {
    if announcement.flags.contains(.repeated) {
      // Known already, unless this is where the reader began.
      if trimmer.isTrimming { try trimmer.relations.noteAll(bytes) }
      return nil
    }
    let found = try bytes.withUnsafeBytes { bytes throws(ChangeLogError) in try trimmer.first(in: bytes) }
    guard let first = found else { return nil }
    var transactions = Int(announcement.transactions)
    var changes = Int(announcement.changes)
    if first > 0 {
      var account = GroupAccount()
      try account.noteAll(bytes, from: first)
      transactions = account.total.transactions
      changes = account.total.changes
    }
    return LogChunk(
      storage: bytes, range: first..<bytes.count,
      lastCommitEnd: announcement.lastCommitEnd.isValid ? announcement.lastCommitEnd : nil,
      transactions: transactions, changes: changes, isRelations: false)
  }

  private func relationsChunk() -> LogChunk {
    let group = trimmer.relations.records()
    trimmer.relations = KnownRelations()
    return LogChunk(
      storage: group.withUnsafeBytes { LogBytes(copying: $0) }, range: 0..<group.byteCount,
      lastCommitEnd: nil,
      transactions: 0, changes: 0, isRelations: true)
  }

  /// Throws when what ends here is not the log: bytes follow that make no sense, or another segment does though this one
  /// is not sealed. For those who do not wait: to one who does, both may be a write seen half done.
  func checkEnd() throws(ChangeLogError) {
    guard tail == nil else { return }
    let last = try shelf.directory.segments().last ?? cursor.segment
    var attempts = 0
    while true {
      let file = try shelf.open(cursor.segment)
      var scanner = try SegmentScanner(file: file, from: cursor.offset)
      var frame = try scanner.next(verify: false)
      while case .data = frame { frame = try scanner.next(verify: false) }
      let reason: String
      switch frame {
      case .bad(let found): reason = found
      case .end, .incomplete:
        guard cursor.segment < last else { return }
        reason = "the segment is not sealed, but another follows"
      case .data, .watermark, .index: return
      }
      guard attempts < 3 else {
        throw .damaged(
          file: file.path, offset: scanner.offset,
          reason: try TornWrite.explained(
            reason, scanner.offset, after: position, of: file, limit: scanner.limit,
            isLast: cursor.segment == last))
      }
      attempts += 1
      usleep(10_000)
    }
  }

  /// Where the transaction ends in which the chunk given last ends: it is whole, so some frame after it says so.
  func endOfOpenTransaction() throws(ChangeLogError) -> LSN {
    let file = try follower.file(cursor.segment)
    var scanner = try SegmentScanner(file: file, from: cursor.offset)
    while true {
      let at = scanner.offset
      switch try scanner.next(verify: false) {
      case .data(let announcement) where announcement.firstCommitEnd.isValid:
        return announcement.firstCommitEnd
      case .data(let announcement) where announcement.flags.contains(.endsInside): continue
      case .bad(let reason): throw .damaged(file: file.path, offset: at, reason: reason)
      case .data, .watermark, .index, .end, .incomplete:
        throw .damaged(file: file.path, offset: at, reason: "the log ends within a transaction")
      }
    }
  }

  /// The frame at the cursor, which moves past it; without its bytes when they are not wanted, or there are none.
  private func nextFrame(
    _ deadline: MonotonicTime?, _ wants: (Announcement) -> Bool
  ) throws(ChangeLogError) -> (Announcement, LogBytes?)? {
    while true {
      if let tail {
        switch tail.next(after: cursor, until: deadline) {
        case .entry(let entry):
          cursor = entry.to
          return (entry.announcement, wants(entry.announcement) ? entry.bytes : nil)
        case .nothing, .closed: return nil
        case .files: break
        }
      } else if let limit = fileTail?.limit, cursor >= limit, try fileTail?.lookAhead(follower) == false {
        if let deadline, deadline.millisecondsLeft == 0 { return nil }
        fileTail?.wait(until: deadline)
        continue
      }
      switch try follower.step(at: cursor, wanting: wants) {
      case .frame(let announcement, let bytes, let next):
        cursor = next
        return (announcement, bytes)
      case .moved(let next):
        cursor = next
        fileTail?.move(to: next)
      case .waiting(let next):
        // What is durable is there: when it is not, someone has removed it.
        if tail != nil {
          throw .io(operation: "open", path: shelf.directory.segmentPath(next), errno: ENOENT)
        }
        if let deadline, deadline.millisecondsLeft == 0 { return nil }
        fileTail?.wait(until: deadline)
      }
    }
  }
}
