import PGOutput

/// Verifies one segment from its header to its end.
struct SegmentVerifier {
  /// The first thing wrong, which ends the segment's verification.
  struct Stop: Error, Equatable {
    var offset: UInt64
    var reason: String
  }

  /// What the next segment must follow.
  struct Sealed {
    var origin: OriginIdentity
    var watermark: LSN
    var digest: SegmentDigest
  }

  private let file: LogFile
  private let start: LSN
  private let frames: FrameReader
  private(set) var counts = LogCounts()
  private(set) var end: LSN
  private(set) var unfinishedBytes: UInt64 = 0
  private var watermark: LSN
  private var inside = false
  private var relationOffsets: [UInt64] = []
  /// Where transactions begin, and what the log had reached there.
  private var openings: [UInt64: LSN] = [:]

  init(file: LogFile, start: LSN) throws(ChangeLogError) {
    self.file = file
    self.start = start
    end = start
    watermark = start
    frames = try FrameReader()
  }

  /// Verifies the segment; returns what the next must follow, nil when it is not sealed.
  /// `progress` is told the offset reached.
  mutating func run(
    after before: Sealed?, isFirst: Bool, isLast: Bool, progress: (UInt64) -> Void = { _ in }
  ) throws(Stop) -> Sealed? {
    do throws(ChangeLogError) {
      let header = try SegmentScanner.header(of: file)
      try header.follow(before, isFirst: isFirst, name: start)
      let bytes = ByteBuffer(capacity: header.frameSize)
      header.encode(into: bytes)
      defer { withExtendedLifetime(bytes) {} }
      var hasher = SegmentHasher()
      hasher.update(bytes.bytes)
      var scanner = try SegmentScanner(file: file, from: UInt64(bytes.count), hasher: hasher)
      var whole = scanner.offset
      while true {
        let at = scanner.offset
        switch try scanner.next(verify: true) {
        case .data(let announcement), .watermark(let announcement):
          try check(announcement, at)
          if !inside { whole = scanner.offset }
          progress(scanner.offset)
        case .index(let index):
          try check(index)
          guard !inside, scanner.offset == scanner.limit, let digest = scanner.hasher?.digest else {
            throw Stop(offset: scanner.offset, reason: "bytes follow the index").error
          }
          return Sealed(origin: header.origin, watermark: index.watermark, digest: digest)
        case .bad(let reason):
          let cause = try TornWrite.explained(
            reason, at, after: watermark, of: file, limit: scanner.limit, isLast: isLast)
          throw Stop(offset: at, reason: cause).error
        case .end, .incomplete:
          guard isLast else {
            throw Stop(offset: at, reason: "the segment is not sealed, but another follows").error
          }
          // As recovery and readers judge it: what was once on disk is not an unfinished write.
          if try SegmentRecovery.claimsDurable(
            beyond: at, past: watermark, file: file, limit: scanner.limit)
          {
            throw Stop(offset: at, reason: "the frame is cut short, but what follows says that it was whole")
              .error
          }
          unfinishedBytes = scanner.limit - whole
          return nil
        }
      }
    } catch {
      guard case .damaged(_, let offset, let reason) = error else {
        throw Stop(offset: 0, reason: error.reason)
      }
      throw Stop(offset: offset, reason: reason)
    }
  }

  private mutating func check(_ announcement: Announcement, _ at: UInt64) throws(ChangeLogError) {
    func require(_ condition: Bool, _ reason: String) throws(ChangeLogError) {
      if !condition { throw Stop(offset: at, reason: reason).error }
    }
    try require(announcement.watermark >= watermark, "the watermark goes back")
    try require(announcement.durableOffset <= at, "more was durable than was written")
    if announcement.isWatermark {
      try require(!inside, "a watermark inside a transaction")
      openings[at] = end
      watermark = announcement.watermark
      return
    }
    try require(
      announcement.flags.contains(.beginsInside) == inside, "the frame does not continue the one before")
    if announcement.flags.contains(.relations) { relationOffsets.append(at) }
    if !inside { openings[at] = end }
    let bytes = try frames.read(announcement, at: at, of: file)
    var account = GroupAccount()
    do throws(ChangeLogError) {
      try account.noteAll(bytes)
    } catch { throw Stop(offset: at, reason: error.description).error }
    try require(account.defect == nil, account.defect?.reason.rawValue ?? "")
    let sums = account.total
    try require(
      sums.records == announcement.records && sums.changes == announcement.changes
        && sums.transactions == announcement.transactions
        && (sums.relations > 0) == announcement.flags.contains(.relations)
        && account.firstEnd == announcement.firstCommitEnd.rawValue
        && account.lastEnd == announcement.lastCommitEnd.rawValue,
      "the records are not the announced ones")
    let ends = account.opening == .unknown ? inside : account.inside
    try require(ends == announcement.flags.contains(.endsInside), "the frame ends otherwise than announced")
    if announcement.firstCommitEnd.isValid {
      try require(announcement.firstCommitEnd > watermark, "a commit ends no later than what was before it")
      end = announcement.lastCommitEnd
    }
    try require(
      announcement.watermark >= announcement.lastCommitEnd, "the watermark is behind the last commit")
    watermark = announcement.watermark
    inside = ends
    counts.add(announcement)
  }

  private func check(_ index: SegmentIndex) throws(ChangeLogError) {
    let consistent =
      index.start == start && index.watermark == watermark && index.counts == counts
      && index.relationOffsets == relationOffsets
      && (counts.transactions == 0 || index.end == end)
      && index.entries.dropFirst().allSatisfy { openings[$0.offset] == $0.position }
      && index.entries.prefix(1).allSatisfy { openings[$0.offset] != nil }
    guard consistent else {
      throw Stop(offset: index.bodyLength, reason: "the index is not the one of this segment").error
    }
  }
}

extension SegmentVerifier.Stop {
  var error: ChangeLogError { .damaged(file: "", offset: offset, reason: reason) }
}

extension SegmentHeader {
  /// Throws unless this header continues the segment before.
  fileprivate func follow(
    _ before: SegmentVerifier.Sealed?, isFirst: Bool, name: LSN
  ) throws(ChangeLogError) {
    guard start == name else {
      throw SegmentVerifier.Stop(offset: 0, reason: "its name is not the start in its header, \(start)").error
    }
    // After a segment that could not be read to its end there is nothing to compare with.
    guard let before, !isFirst else { return }
    guard before.watermark == start else {
      throw SegmentVerifier.Stop(offset: 0, reason: "the segment before ends at \(before.watermark)").error
    }
    guard before.digest == previous else {
      throw SegmentVerifier.Stop(offset: 0, reason: "the segment before is not the one that was sealed").error
    }
    try before.origin.admit(origin)
  }
}
