import PGOutput

@testable import ChangeLog

/// What the slot sends: the same transactions each time, in order, numbered from 0. So whatever happened, a log holds
/// the first so many of them, byte by byte.
enum SentUnits {
  static func end(_ number: Int) -> LSN { LSN(rawValue: 0x2000 + UInt64(number) * 0x1000) }

  /// Between the end of a transaction and the next: what a keepalive says.
  static func idle(after number: Int) -> LSN { LSN(rawValue: end(number).rawValue + 0x800) }

  /// The records of a transaction: begin, changes, commit.
  static func group(_ number: Int) throws -> RecordGroup {
    let group = RecordGroup(capacity: 4 << 10)
    try all[starts[number]..<starts[number + 1]].withUnsafeBytes { try group.append(records: $0) }
    return group
  }

  /// All that are ever sent.
  private static let groups = (0..<60).map(make)
  private static let all = groups.flatMap(\.contents)
  private static let starts = groups.reduce(into: [0]) { $0.append(($0.last ?? 0) + $1.byteCount) }

  private static func make(_ number: Int) -> RecordGroup {
    let group = RecordGroup(capacity: 4 << 10)
    group.addTransaction(
      end: end(number).rawValue, changes: 1 + number % 4, relation: number % 3 == 0 ? 16384 : nil,
      // A frame now within a sector, now over some.
      textLength: number % 5 == 4 ? 700 : 40)
    return group
  }

  /// How many records that is.
  static func records(_ number: Int) -> Int { groups[number].account.total.records }

  /// The same records, cut after the first so many.
  static func split(_ number: Int, at records: Int) throws -> (first: RecordGroup, rest: RecordGroup) {
    let (first, rest) = (RecordGroup(), RecordGroup())
    try group(number).withUnsafeBytes { bytes in
      var iterator = LogRecordIterator(bytes)
      var count = 0
      while let record = try iterator.next() {
        (count < records ? first : rest).append(walStart: record.walStart, payload: record.payload)
        count += 1
      }
    }
    return (first, rest)
  }

  /// The records of the first so many.
  static func contents(_ count: Int) -> [UInt8] { Array(all[..<starts[count]]) }

  /// How many end at `watermark` or before.
  static func count(upTo watermark: LSN) -> Int {
    watermark < end(0) ? 0 : Int((watermark.rawValue - end(0).rawValue) / 0x1000) + 1
  }
}
