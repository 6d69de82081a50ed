public import PGOutput

/// Appends groups of records to a change log: one writer for a directory, used by one thread at a time (hence
/// `@unchecked Sendable`: it may be handed over, not shared).
///
/// `append` and `mark` write; only `sync` makes durable, and only what it returned may be confirmed to the source.
public final class ChangeLogWriter: @unchecked Sendable {
  /// What can be chosen.
  public struct Options: Sendable {
    /// Stored bytes after which a segment is sealed, at the next transaction boundary.
    public var segmentBytes: UInt64
    /// Frames after which it is sealed: before it has an index, whoever looks for a place in it goes from one to the next.
    public var segmentFrames: UInt64 = 1 << 16
    /// Where durable groups are handed over to readers of this process.
    public var tail: LogTail?
    package var calls = FileCalls.system

    /// The defaults: segments of 64 MiB or 65,536 frames, no tail.
    public init(segmentBytes: UInt64 = 64 << 20, tail: LogTail? = nil) {
      self.segmentBytes = segmentBytes
      self.tail = tail
    }
  }

  /// What opening the log cut from its end; nil when nothing was.
  public let recovery: RecoveryReport?

  let directory: LogDirectory
  let options: Options
  private let lock: DirectoryLock
  private let encoder: FrameEncoder
  var file: LogFile
  /// The segment with all that is written.
  var current: SegmentState
  /// The segment at the end of its last whole transaction.
  var boundary: SegmentState
  /// Bytes of the segment known to be on disk.
  private var durableOffset: UInt64
  private var durable: LSN
  private var failure: ChangeLogError?
  /// Where the last frame ended, for the tail: in the segment before, right after a roll.
  private var tailCursor: LogCursor

  init(
    directory: LogDirectory, options: Options, lock: DirectoryLock, segment: OpenSegment,
    encoder: FrameEncoder,
    recovery: RecoveryReport?
  ) {
    self.directory = directory
    self.options = options
    self.lock = lock
    self.encoder = encoder
    self.recovery = recovery
    file = segment.file
    current = segment.state
    boundary = segment.state
    durableOffset = segment.state.offset
    durable = segment.state.watermark
    tailCursor = segment.state.cursor
    // A writer that failed may have left frames in the tail that are not in the file.
    options.tail?.discard(from: tailCursor)
    publish()
  }

  /// Whose changes these are, with the creation point the log was made with.
  public var origin: OriginIdentity { current.header.origin }

  /// Commit end of the last whole transaction that was appended; the log's start before the first.
  public var end: LSN { boundary.end }

  /// Everything up to here is in the log and durable: what may be confirmed to the source.
  public var watermark: LSN { durable }

  /// Whether the last record appended belongs to a transaction that is not complete.
  public var isInsideTransaction: Bool { current.inside }

  /// Compresses and writes a group. It is not durable before `sync`.
  ///
  /// Throws `diskFull` when there is no room: nothing of the group is kept, and the same call can be made again.
  public func append(_ group: RecordGroup) throws(ChangeLogError) {
    try checkUsable()
    guard !group.isEmpty else { return }
    let inside = try admit(group.account)
    let isFull = current.offset >= options.segmentBytes || current.frames >= options.segmentFrames
    if !current.inside, isFull, current.watermark > current.start {
      try roll(to: origin)
    }
    let frames = try encoder.encode(
      group, inside: inside, watermark: current.watermark, durableOffset: durableOffset)
    var next = current
    var whole: SegmentState?
    var entries: [TailRing.Entry] = []
    for frame in frames {
      let from = entries.last?.to ?? tailCursor
      next.take(frame.announcement, bytes: encoder.output.slice(frame.stored))
      if frame.announcement.flags.contains(.relations) { try next.relations.noteAll(frame.records) }
      if !next.inside { whole = next }
      entries.append(TailRing.Entry(from: from, to: next.cursor, announcement: frame.announcement))
    }
    try write(encoder.output.bytes)
    current = next
    if let whole { boundary = whole }
    guard let tail = options.tail else { return }
    for (frame, var entry) in zip(frames, entries) {
      entry.bytes = LogBytes(copying: frame.records)
      tail.append(entry)
    }
    tailCursor = next.cursor
  }

  /// Notes that the source holds nothing for this log up to `lsn` but what is in it: what an idle source's keepalive
  /// says. To be followed by `sync` before it is confirmed.
  public func mark(watermark lsn: LSN) throws(ChangeLogError) {
    try checkUsable()
    guard !current.inside else { throw .outOfStep(reason: "a watermark inside a transaction") }
    guard lsn > current.watermark else { return }
    let frame = encoder.watermark(lsn, durableOffset: durableOffset)
    var next = current
    next.take(frame, bytes: encoder.output.bytes)
    try write(encoder.output.bytes)
    current = next
    boundary = next
    options.tail?.append(TailRing.Entry(from: tailCursor, to: next.cursor, announcement: frame))
    tailCursor = next.cursor
  }

  /// Makes all that was appended durable, shows it to the readers, and returns up to where the source may be
  /// confirmed: the end of the last whole transaction, or a later watermark.
  ///
  /// A failure is final (`syncFailed`): every later call throws `writerFailed`.
  @discardableResult
  public func sync() throws(ChangeLogError) -> LSN {
    try checkUsable()
    guard current.offset > durableOffset else { return durable }
    do throws(ChangeLogError) { try file.sync() } catch { throw fail(error) }
    durableOffset = current.offset
    durable = boundary.watermark
    publish()
    return durable
  }

  /// Drops the transaction that was begun and not completed: its source connection is gone and will send it again
  /// from its start. Nothing happens when there is none.
  public func discardPartialTransaction() throws(ChangeLogError) {
    try checkUsable()
    guard current.offset > boundary.offset else { return }
    do throws(ChangeLogError) {
      try file.truncate(to: boundary.offset)
      // So that what is written there next never stands on disk beside frames of the old end.
      try file.sync()
    } catch { throw fail(error) }
    current = boundary
    durableOffset = min(durableOffset, boundary.offset)
    tailCursor = boundary.cursor
    options.tail?.discard(from: tailCursor)
  }

  /// Throws unless the group continues the log; returns whether it begins in an open transaction.
  private func admit(_ account: GroupAccount) throws(ChangeLogError) -> Bool {
    if let defect = account.defect {
      throw .malformedRecord(offset: defect.offset, reason: defect.reason.rawValue)
    }
    guard account.total.bytes <= LogFormat.groupLimit else {
      throw .groupTooLarge(bytes: account.total.bytes, limit: LogFormat.groupLimit)
    }
    switch account.opening {
    case .unknown: return current.inside
    case .inside where !current.inside:
      throw .outOfStep(reason: "it goes on with a transaction that is not open")
    case .outside where current.inside: throw .outOfStep(reason: "it begins one while another is open")
    case .inside, .outside: break
    }
    let first = LSN(rawValue: account.firstEnd)
    if first.isValid, first <= current.watermark {
      throw .notAdvancing(given: first, held: current.watermark)
    }
    return current.inside
  }

  /// Writes at the end of the segment; on an error the file is as it was.
  private func write(_ bytes: UnsafeRawBufferPointer) throws(ChangeLogError) {
    do throws(ChangeLogError) {
      try file.write(bytes, at: current.offset)
    } catch {
      do throws(ChangeLogError) { try file.truncate(to: current.offset) } catch { throw fail(error) }
      throw error
    }
  }

  /// Seals the segment and goes on in a new one.
  func roll(to origin: OriginIdentity) throws(ChangeLogError) {
    do throws(ChangeLogError) {
      let next = try SegmentMaker(directory: directory, encoder: encoder).roll(
        current, file: file, origin: origin)
      file = next.file
      current = next.state
      boundary = next.state
      durableOffset = next.state.offset
      durable = next.state.watermark
    } catch {
      guard error.isRetriable else { throw fail(error) }
      throw error
    }
  }

  func publish() {
    options.tail?.publish(
      LogTail.DurableEnd(
        segment: boundary.start, offset: boundary.offset, end: boundary.end, watermark: boundary.watermark))
  }

  func checkUsable() throws(ChangeLogError) {
    if let failure { throw .writerFailed(reason: failure.description) }
  }

  private func fail(_ error: ChangeLogError) -> ChangeLogError {
    failure = error.final
    return error.final
  }
}
