import ChangeLog
import Derivation
import DualWrite
import PGOutput
import Postgres

/// Finds the keys that transactions of the last seconds touched, and that are applied.
struct RecentChanges {
  /// The keys; nil when nothing is applied yet.
  let keys: TouchedKeys?
  /// What of the time asked for the log does not cover.
  let note: String?

  /// Commit times are taken before the commit's place in the WAL: neighbours can stand the other way round.
  private static let margin_us: Int64 = 60_000_000

  init(
    _ definition: SlotDefinition, map: StateMap, seconds: Int, on connection: Connection
  ) throws(DualWriteError) {
    let through: LSN
    let now: Int64
    let forms: [TypeOID: BinaryForm]
    do throws(PostgresError) {
      // Only what is applied is sure to be visible, and what is not is still to be derived.
      through = try AppliedPosition(definition, on: connection).read(enough: LSN(rawValue: .max))
      let clock = try connection.query(
        "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint", purpose: "read the clock")
      now = clock.integer(0, 0) ?? 0
      forms = try BinaryForms.find(definition.derive, on: connection)
    } catch {
      throw .postgres(error)
    }
    guard through.isValid else {
      (keys, note) = (nil, nil)
      return
    }
    let (span, overflow) = Int64(seconds).multipliedReportingOverflow(by: 1_000_000)
    let since = Timestamp(unixMicroseconds: overflow || span > now ? 0 : now - span)
    let directory = definition.log.directory
    let start: LSN
    do throws(ChangeLogError) {
      let segments = try LogSource(directory: directory).segments().map(\.start)
      start = try Self.start(segments, before: since, directory)
      note = try Self.uncovered(segments, since, directory)
    } catch {
      throw .log(error)
    }
    keys = try TouchedKeys(
      definition.derive, map: map, directory: directory, after: start, through: through, since: since,
      forms: forms)
  }

  /// The last segment whose first transaction committed well before a time.
  private static func start(
    _ segments: [LSN], before since: Timestamp, _ directory: String
  ) throws(ChangeLogError) -> LSN {
    var (low, high) = (0, segments.count)
    while high - low > 1 {
      let middle = (low + high) / 2
      let first = try firstCommit(after: segments[middle], directory)
      if let first, first.rawValue < since.rawValue - margin_us { low = middle } else { high = middle }
    }
    return segments.indices.contains(low) ? segments[low] : .invalid
  }

  private static func uncovered(
    _ segments: [LSN], _ since: Timestamp, _ directory: String
  ) throws(ChangeLogError) -> String? {
    guard let start = segments.first, let first = try firstCommit(after: start, directory), first > since
    else { return nil }
    return "the change log begins with a commit of \(first): what was touched before is not looked at"
  }

  /// When the first transaction after a position committed; nil when there is none.
  private static func firstCommit(
    after position: LSN, _ directory: String
  ) throws(ChangeLogError) -> Timestamp? {
    let reader = try LogReader(directory: directory, after: position)
    while let chunk = try reader.next(timeout: .zero) {
      var found: Timestamp?
      try chunk.forEachRecord { record throws(ChangeLogError) in
        guard found == nil, record.payload.first == UInt8(ascii: "B") else { return }
        if case .begin(let begin)? = try? Message(decoding: record.payload.bytes) { found = begin.commitTime }
      }
      if let found { return found }
    }
    return nil
  }
}
