/// What a process before this one has left at the end of a segment.
extension LogFile {
  /// Recovers the segment in this file, cuts what does not stand, and makes the rest durable.
  ///
  /// What is read may be in memory only, and `fdatasync` need not mend that: where a sync of the process before has
  /// failed, the kernel has reported it to that process, once, and holds the pages for clean. They can be read until
  /// they are evicted, a later sync finds nothing to write and succeeds, and the power takes them. (PostgreSQL ends
  /// with PANIC when an fsync fails and replays its WAL, `data_sync_retry`; LWN 752063, "PostgreSQL's fsync()
  /// surprise".) So everything of which the segment does not witness that a sync worked after it is written once more
  /// where it stands, which makes its pages dirty, and only then synced. To cut it instead would lose what may have
  /// been confirmed: nothing in the file tells a sync that failed from one that was the last.
  func settled() throws(ChangeLogError) -> SegmentRecovery {
    var found = try SegmentRecovery(self)
    if found.witnessed < found.end {
      try rewrite(found.witnessed..<found.end)
      // Pages may have been evicted between the two: what counts is what stands there now.
      found = try SegmentRecovery(self)
    }
    if found.report != nil { try truncate(to: found.end) }
    try sync()
    return found
  }

  private func rewrite(_ range: Range<UInt64>) throws(ChangeLogError) {
    let window = ByteBuffer(capacity: 1 << 20)
    defer { withExtendedLifetime(window) {} }
    var at = range.lowerBound
    while at < range.upperBound {
      let length = Int(min(range.upperBound - at, UInt64(window.capacity)))
      window.count = try read(at: at, into: UnsafeMutableRawBufferPointer(start: window.base, count: length))
      guard window.count > 0 else { return }
      try write(window.bytes, at: at)
      at += UInt64(window.count)
    }
  }
}
