import PGOutput

/// Makes announcements and data frames in one buffer, to be written with one call. Reused from append to append.
final class FrameEncoder {
  struct Frame {
    var announcement: Announcement
    /// Where announcement and data stand in `output`.
    var stored: Range<Int>
    /// What the data frame holds, uncompressed; valid as long as the group is.
    var records: UnsafeRawBufferPointer
  }

  let output = ByteBuffer(capacity: 256 << 10)
  private let compressor: FrameCompressor

  init() throws(ChangeLogError) { compressor = try FrameCompressor() }

  /// The frames of a group: one, or two when it ends in an open transaction after completing others, so that the
  /// log can be cut between them.
  func encode(
    _ group: RecordGroup, inside: Bool, watermark: LSN, durableOffset: UInt64
  ) throws(ChangeLogError) -> [Frame] {
    output.removeAll(keepingAtMost: 4 << 20)
    let account = group.account
    let bytes = group.bytes
    var first = Announcement()
    first.firstCommitEnd = LSN(rawValue: account.firstEnd)
    first.lastCommitEnd = LSN(rawValue: account.lastEnd)
    first.watermark = max(watermark, first.lastCommitEnd)
    first.durableOffset = durableOffset
    if inside { first.flags.insert(.beginsInside) }
    guard account.inside, account.whole.bytes > 0 else {
      if account.opening == .unknown ? inside : account.inside { first.flags.insert(.endsInside) }
      return [try frame(first, account.total, bytes)]
    }
    var rest = Announcement()
    rest.watermark = first.watermark
    rest.durableOffset = durableOffset
    rest.flags.insert(.endsInside)
    let split = account.whole.bytes
    return [
      try frame(first, account.whole, UnsafeRawBufferPointer(rebasing: bytes[..<split])),
      try frame(rest, account.total - account.whole, UnsafeRawBufferPointer(rebasing: bytes[split...])),
    ]
  }

  /// The frame at the head of a segment that repeats what is known; appended to `target`.
  func repeated(_ relations: KnownRelations, start: LSN, into target: ByteBuffer) throws(ChangeLogError)
    -> Announcement
  {
    output.removeAll(keepingAtMost: 4 << 20)
    let group = relations.records()
    var announcement = Announcement()
    announcement.watermark = start
    announcement.flags = [.repeated]
    let made = try group.withUnsafeBytes { bytes throws(ChangeLogError) in
      try frame(announcement, group.account.total, bytes)
    }
    target.append(output.slice(made.stored))
    return made.announcement
  }

  /// An announcement without data, alone in `output`.
  func watermark(_ lsn: LSN, durableOffset: UInt64) -> Announcement {
    output.removeAll(keepingAtMost: 4 << 20)
    var announcement = Announcement()
    announcement.watermark = lsn
    announcement.durableOffset = durableOffset
    announcement.encode(to: output.base)
    output.count = Announcement.frameSize
    return announcement
  }

  private func frame(
    _ template: Announcement, _ sums: GroupAccount.Sums, _ records: UnsafeRawBufferPointer
  ) throws(ChangeLogError) -> Frame {
    let start = output.count
    let data = start + Announcement.frameSize
    output.reserve(data + compressor.bound(records.count))
    let room = UnsafeMutableRawBufferPointer(start: output.base + data, count: output.capacity - data)
    let length = try compressor.compress(records, into: room)
    var announcement = template
    announcement.storedLength = UInt32(clamping: length)
    announcement.uncompressedLength = UInt32(clamping: records.count)
    announcement.records = UInt32(clamping: sums.records)
    announcement.transactions = UInt32(clamping: sums.transactions)
    announcement.changes = UInt32(clamping: sums.changes)
    if sums.relations > 0 { announcement.flags.insert(.relations) }
    output.count = data + length
    announcement.dataChecksum = CRC32C.of(output.slice(data..<data + length))
    announcement.encode(to: output.base + start)
    return Frame(announcement: announcement, stored: start..<data + length, records: records)
  }
}
