public import ChangeLog
public import Derivation
import PGOutput
public import Postgres

/// How many rows a repair would write: the same walk, without writing.
public struct RepairCount: Hashable, Sendable {
  /// Rows that would be written, or that cannot be, by class: incomplete, incorrect, unmapped.
  public var counts: [Difference.Class: UInt64] = [:]
  /// Rows of the range that are there.
  public var rows: UInt64 = 0
  /// Changes of the table in the range.
  public var changes: UInt64 = 0
  /// What could not be read.
  public var gaps: [LogGap] = []
  /// Whether a row that came again after many others may have been counted again.
  public var isUpperBound = false

  /// Rows that would be written.
  public var written: UInt64 { (counts[.incomplete] ?? 0) + (counts[.incorrect] ?? 0) }

  /// Most rows that are remembered as counted: a number each.
  private static let memory = 2_000_000

  /// Walks the range.
  public static func run(
    _ plan: RepairPlan, range: ResolvedRange, map: StateMap, target: TargetReader, interrupt: Interrupt,
    progress: (Position, UInt64) -> Void
  ) throws(ReplayError) -> RepairCount {
    let walk = EventWalk(
      plan.log, derive: plan.definition.derive, range: range, keys: plan.keys,
      crossesDamage: plan.crossesDamage)
    var count = RepairCount()
    var counted: Set<Int> = []
    var batch = RepairBatch()
    while true {
      let step = try walk.next()
      switch step {
      case .event(let event): batch.add(event)
      case .gap(let gap): count.gaps.append(gap)
      case nil: break
      }
      guard step == nil || batch.keys.count >= Settlement.page || batch.changes >= 100_000 else { continue }
      try count.add(batch.keys, map, target, &counted)
      batch = RepairBatch()
      count.changes = walk.changes
      progress(walk.position, walk.changes)
      if interrupt.isStopped { throw .stopped(at: walk.position) }
      if step == nil { return count }
    }
  }

  private mutating func add(
    _ keys: [RowKey], _ map: StateMap, _ target: TargetReader, _ counted: inout Set<Int>
  ) throws(ReplayError) {
    let judge = Judge(map: map, isBothWays: target.isBothWays)
    for (key, look) in zip(keys, try target.look(keys.map { ($0, nil) })) {
      guard let row = look.row else { continue }
      guard counted.count < Self.memory else {
        isUpperBound = true
        note(judge, row)
        continue
      }
      if counted.insert(key.hashValue).inserted { note(judge, row) }
    }
  }

  private mutating func note(_ judge: Judge, _ row: HeldRow) {
    rows &+= 1
    let expected = judge.expected(row)
    // Without a state in the map a row keeps what it has, right or wrong.
    let kind: Difference.Class? = expected == nil ? .unmapped : Judge.column(row.to, expected)
    if let kind { counts[kind, default: 0] &+= 1 }
  }
}
