/// What stands in a segment or a whole log. Repeated relations are not counted.
public struct LogCounts: Hashable, Sendable {
  /// Committed transactions.
  public var transactions: UInt64 = 0
  /// Insert, Update, Delete, Truncate and Message records.
  public var changes: UInt64 = 0
  /// Records of every kind.
  public var records: UInt64 = 0
  /// Bytes of the records, uncompressed.
  public var uncompressedBytes: UInt64 = 0

  mutating func add(_ announcement: Announcement) {
    guard !announcement.flags.contains(.repeated) else { return }
    transactions &+= UInt64(announcement.transactions)
    changes &+= UInt64(announcement.changes)
    records &+= UInt64(announcement.records)
    uncompressedBytes &+= UInt64(announcement.uncompressedLength)
  }

  mutating func add(_ other: LogCounts) {
    transactions &+= other.transactions
    changes &+= other.changes
    records &+= other.records
    uncompressedBytes &+= other.uncompressedBytes
  }
}
