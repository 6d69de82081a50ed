import ChangeLog
package import Derivation
package import PGOutput
import Postgres

/// The keys of a slot's table that transactions of the change log touched, as the dual-write reads them, in portions.
package struct TouchedKeys {
  /// Some of them.
  package struct Portion {
    /// The keys, each once, as JSON arrays of their columns' text.
    package var keys: [String]
    /// The end of the last transaction that is whole with this portion; nil when there is none.
    package var end: LSN?
  }

  private let reader: LogReader
  /// Up to where the log held everything when reading began.
  private let held: LSN
  private let through: LSN
  private let since: Timestamp?
  private var builder: BatchBuilder
  private var chunk: LogChunk?
  private var offset = 0
  /// Whether the transaction under way committed too early to be asked for.
  private var isPassing = false
  private var hasEnded = false
  /// Whether a transaction has come that is not asked for any more.
  private var isPastEnd = false

  /// Up to where every key was given, once there is no more.
  package var reached: LSN { isPastEnd ? through : min(through, held) }

  /// - Parameters:
  ///   - after: what ends here or before is not asked for.
  ///   - through: nor what ends later than this.
  ///   - since: nor what committed earlier than this.
  package init(
    _ derive: SlotDefinition.Derive, map: StateMap, directory: String, after: LSN, through: LSN,
    since: Timestamp? = nil, forms: [TypeOID: BinaryForm] = [:]
  ) throws(DualWriteError) {
    do {
      // Looked up before reading: all of it is met on the way to the end.
      held = try ChangeLogWriter.inspect(directory: directory)?.watermark ?? .invalid
      reader = try LogReader(directory: directory, after: after)
    } catch {
      throw .log(error)
    }
    builder = BatchBuilder(
      derive: derive, statuses: StatusSet(map), forms: forms, skipThrough: after, capacity: 1024)
    self.through = through
    self.since = since
  }

  /// The next portion, of about `most` keys; nil after the last.
  package mutating func next(most: Int) throws(DualWriteError) -> Portion? {
    while !hasEnded, builder.batch.keys.count < most {
      if chunk == nil {
        do { chunk = try reader.next(timeout: .zero) } catch { throw .log(error) }
        offset = 0
      }
      guard let current = chunk else {
        hasEnded = true
        break
      }
      try walk(current, most: most)
    }
    let batch = builder.take(Batch(capacity: 1024))
    guard !batch.isEmpty else { return nil }
    return Portion(
      keys: batch.keys.entries.map {
        String(decoding: BatchParameters.json(batch.keys, $0), as: UTF8.self)
      }, end: batch.endLSN)
  }

  private mutating func walk(_ current: LogChunk, most: Int) throws(DualWriteError) {
    var next = offset
    var isDone = false
    try current.withUnsafeBytes { (bytes) throws(DualWriteError) in
      var records = LogRecordIterator(bytes, from: offset)
      do throws(ChangeLogError) {
        while !hasEnded, builder.batch.keys.count < most {
          guard let record = try records.next() else {
            isDone = true
            break
          }
          do throws(DualWriteError) {
            try add(record)
          } catch {
            failure = error
            break
          }
        }
      } catch {
        throw .log(error)
      }
      next = records.offset
    }
    if let failure { throw failure }
    offset = next
    if isDone { chunk = nil }
  }

  // One error type at a time: kept until the records are walked.
  private var failure: DualWriteError?

  private mutating func add(_ record: LogRecord) throws(DualWriteError) {
    switch record.payload.first {
    case UInt8(ascii: "B"):
      guard let begin = try Self.begin(record) else { return }
      guard begin.finalLSN < through else {
        hasEnded = true
        isPastEnd = true
        return
      }
      isPassing = since.map { begin.commitTime < $0 } ?? false
      if isPassing { return }
    case UInt8(ascii: "C") where isPassing:
      isPassing = false
      return
    case UInt8(ascii: "R"), UInt8(ascii: "Y"): break
    default: if isPassing { return }
    }
    try builder.add(record.payload, walStart: record.walStart)
  }

  private static func begin(_ record: LogRecord) throws(DualWriteError) -> Begin? {
    do throws(DecodeError) {
      guard case .begin(let begin) = try Message(decoding: record.payload.bytes) else { return nil }
      return begin
    } catch {
      throw .decode(error, walStart: LSN(rawValue: record.walStart))
    }
  }
}
