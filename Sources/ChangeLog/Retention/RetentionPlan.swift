public import PGOutput

/// Which segments go, what stays though a rule would drop it, and who loses by it. A value: it looks at nothing.
///
/// Invariants:
/// - what goes is the log's beginning: what stays has no hole;
/// - the last segment stays, and so does what the dual-write, the slot or the archive still needs.
public struct RetentionPlan: Hashable, Sendable {
  /// A segment, as much as matters here.
  public struct Segment: Hashable, Sendable {
    /// Everything in it ends after this.
    public var start: LSN
    /// Where the next one starts.
    public var watermark: LSN
    /// Bytes of its file.
    public var bytes: UInt64
    /// When it was written last, in seconds since 1970: when it was sealed.
    public var writtenAt: Int64
    /// What is known of its copy in the archive.
    public var archive: RetentionRules.Archiving
  }

  /// A named reader.
  public struct Reader: Hashable, Sendable {
    /// Its name.
    public var name: String
    /// What it has handled; nil when that cannot be told, for `trouble`.
    public var position: LSN?
    /// Why not.
    public var trouble: String?
  }

  /// Why a segment goes.
  public enum Reason: String, Hashable, Sendable {
    /// It is old enough.
    case age
    /// The log is too large.
    case size
    /// It lies before the position that was named.
    case before
  }

  /// What keeps a segment that a rule would drop.
  public enum Hold: Hashable, Sendable {
    /// This reader has read up to here only.
    case reader(name: String, position: LSN)
    /// Where this reader is cannot be told.
    case unknownReader(name: String, reason: String)
    /// The slot has confirmed up to here only.
    case unconfirmed(LSN)
    /// It is not archived.
    case notArchived
    /// It is archived, but was never brought back and compared.
    case notVerified
  }

  /// A segment that goes.
  public struct Drop: Hashable, Sendable {
    /// The segment.
    public let segment: Segment
    /// The first rule that drops it.
    public let reason: Reason
  }

  /// A segment that stays, though a rule would drop it.
  public struct Held: Hashable, Sendable {
    /// Its start.
    public let start: LSN
    /// What keeps it.
    public let hold: Hold
  }

  /// A reader that finds a gap when it goes on.
  public struct Hurt: Hashable, Sendable {
    /// Its name.
    public let name: String
    /// What it has handled.
    public let from: LSN
    /// The first position that is held then.
    public let to: LSN
    /// Whether the archive has what is missing.
    public let isArchived: Bool
  }

  /// What goes, the oldest first.
  public let drops: [Drop]
  /// The first segment that a rule would drop and that stays, and why; nil when all go that the rules name.
  public let held: Held?
  /// Who loses by it.
  public let hurts: [Hurt]
  /// The first position held before, and after.
  public let firstBefore: LSN?
  /// The first position held afterwards.
  public let firstAfter: LSN?

  /// Decides. `segments` are all, in order, the last being written.
  public init(segments: [Segment], readers: [Reader], rules: RetentionRules, now: Int64) {
    var drops: [Drop] = []
    var held: Held?
    var left = segments.reduce(UInt64(0)) { $0 &+ $1.bytes }
    for segment in segments.dropLast() {
      guard let reason = rules.reason(to: segment, left: left, now: now) else { break }
      if let hold = rules.hold(on: segment, readers: readers, bytesToEnd: left) {
        held = Held(start: segment.start, hold: hold)
        break
      }
      drops.append(Drop(segment: segment, reason: reason))
      left &-= min(segment.bytes, left)
    }
    let first = segments.dropFirst(drops.count).first?.start
    let dropped = drops.map(\.segment)
    var hurts: [Hurt] = []
    if let first, !drops.isEmpty {
      for reader in readers {
        guard let position = reader.position, position < first else { continue }
        let missing = dropped.filter { $0.watermark > position }
        hurts.append(
          Hurt(
            name: reader.name, from: position, to: first,
            isArchived: missing.allSatisfy { $0.archive > .none }))
      }
    }
    self.drops = drops
    self.held = held
    self.hurts = hurts
    firstBefore = segments.first?.start
    firstAfter = first
  }

  /// Bytes that are freed.
  public var bytes: UInt64 { drops.reduce(0) { $0 &+ $1.segment.bytes } }
}

extension RetentionRules {
  /// Why the oldest segment left should go, when `left` bytes are held with it.
  fileprivate func reason(to segment: RetentionPlan.Segment, left: UInt64, now: Int64) -> RetentionPlan
    .Reason?
  {
    if let before, segment.watermark <= before { return .before }
    // A clock that was set back makes nothing old.
    if let age, now &- segment.writtenAt >= age { return .age }
    if let bytes, left > bytes { return .size }
    return nil
  }

  /// What keeps it all the same; `bytesToEnd` are those of it and all that follow.
  fileprivate func hold(
    on segment: RetentionPlan.Segment, readers: [RetentionPlan.Reader], bytesToEnd: UInt64
  ) -> RetentionPlan.Hold? {
    for reader in readers {
      let isPassed =
        reader.name != NamedReader.dualWrite && (isPastReaders || readerLag.map { bytesToEnd > $0 } ?? false)
      if isPassed { continue }
      guard let position = reader.position else {
        return .unknownReader(name: reader.name, reason: reader.trouble ?? "it cannot be read")
      }
      // A reader that stands before its end goes on in it, though it may have read all that is in it.
      if position < segment.watermark { return .reader(name: reader.name, position: position) }
    }
    if let confirmed, confirmed < segment.watermark { return .unconfirmed(confirmed) }
    switch (archive, segment.archive) {
    case (.none, _): return nil
    case (_, .none): return .notArchived
    case (.verified, .trusted): return .notVerified
    default: return nil
    }
  }
}

extension RetentionPlan.Hold: CustomStringConvertible {
  /// What it waits for.
  public var description: String {
    switch self {
    case .reader(let name, let position): "reader \(name) has read up to \(position) only"
    case .unknownReader(let name, let reason): "where reader \(name) is cannot be told: \(reason)"
    case .unconfirmed(let position): "the slot has confirmed up to \(position) only"
    case .notArchived: "it is not archived"
    case .notVerified: "it is archived, but was never brought back and compared"
    }
  }
}
