public import ChangeLog
public import Derivation
public import PGOutput

/// The events of a slot's table in a range of the log, with the gaps between them. For one thread; never waits.
public final class EventWalk {
  /// What stands next.
  public enum Step: Sendable {
    /// Something happened to a row, or to all.
    case event(RowEvent)
    /// Changes may be missing here.
    case gap(LogGap)
  }

  private let walk: LogWalk
  private let reader: RowReader
  private let keys: Set<RowKey>?

  /// Changes of the table that were walked, those of other keys included.
  public private(set) var changes: UInt64 = 0
  /// The position of the change given last, or of one passed over.
  public private(set) var position: Position

  /// - Parameter keys: the rows that are wanted; nil for all. Truncations concern every one of them.
  public init(
    _ log: LogSource, derive: SlotDefinition.Derive, range: ResolvedRange, keys: Set<RowKey>? = nil,
    crossesDamage: Bool, forms: [TypeOID: BinaryForm] = [:]
  ) {
    reader = RowReader(derive: derive, forms: forms)
    self.keys = keys
    position = range.after
    walk = LogWalk(
      log, after: range.after, through: range.through, tables: [reader.table], crossesDamage: crossesDamage)
  }

  /// Everything up to here was walked.
  public var reach: LSN { walk.reach }

  /// The next event or gap; nil at the end of the range, or of the log.
  public func next() throws(ReplayError) -> Step? {
    while true {
      let found: LogWalk.Step?
      do throws(ChangeLogError) { found = try walk.next() } catch { throw .log(error) }
      switch found {
      case nil: return nil
      case .gap(let gap): return .gap(gap)
      case .change(let change):
        changes &+= 1
        position = change.position
        guard let event = try reader.event(change), isWanted(event) else { continue }
        return .event(event)
      }
    }
  }

  private func isWanted(_ event: RowEvent) -> Bool {
    guard let keys, let key = event.key else { return true }
    return keys.contains(key) || event.oldKey.map { keys.contains($0) } ?? false
  }
}
