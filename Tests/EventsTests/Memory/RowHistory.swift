import ChangeLog
import Derivation
import PGOutput

@testable import Events

/// A random history of a few rows, and what stood before each of its changes: told by walking back through it, with no memory.
struct RowHistory {
  enum Step {
    case insert(key: Int, status: String?)
    /// `full`: the change comes with the whole old row.
    case update(key: Int, from: Int, status: String?, full: Bool)
    case delete(key: Int)
    case truncate
    /// A change without its key.
    case keyless
    /// The table is described anew, with a column more or less.
    case describe
  }

  private(set) var steps: [Step] = []
  /// Where each change stands; of a description the position of the change before.
  private(set) var positions: [Position] = []
  private var rows: [Int: String?] = [:]
  private var keys: Int
  private var isWide = false

  static let statuses: [String?] = ["AUTH", "CAPTURED", "AUTH", "CAPTURED", "who knows", nil]

  /// Writes so many transactions of a few changes each.
  init(_ log: EventLog, transactions: Int, keys: Int, using generator: inout some RandomNumberGenerator)
    throws
  {
    self.keys = keys
    for second in 1...transactions {
      if Int.random(in: 0..<40, using: &generator) == 0 {
        isWide.toggle()
        steps.append(.describe)
        positions.append(positions.last ?? Position(endLSN: LSN(rawValue: 0x1000)))
      }
      var changes: [EventLog.Change] = []
      for _ in 0..<Int.random(in: 1...4, using: &generator) { add(&changes, using: &generator) }
      let columns = ["id", "status", "state_id"] + (isWide ? ["note"] : [])
      let end = try log.commit(second: Int64(second), columns: columns, changes)
      for ordinal in changes.indices { positions.append(Position(endLSN: end, ordinal: UInt64(ordinal))) }
    }
  }

  private mutating func add(
    _ changes: inout [EventLog.Change], using generator: inout some RandomNumberGenerator
  ) {
    let key = Int.random(in: 0..<keys, using: &generator)
    let status = Self.statuses.randomElement(using: &generator) ?? nil
    let draw = Int.random(in: 0..<100, using: &generator)
    guard let before = rows[key] else {
      rows[key] = .some(status)
      steps.append(.insert(key: key, status: status))
      return changes.append(.insert(image(key, status)))
    }
    switch draw {
    case 0:
      rows.removeAll()
      steps.append(.truncate)
      changes.append(.truncate)
    case 1:
      steps.append(.keyless)
      changes.append(.update([.unchanged] + image(key, status).dropFirst()))
    case 2..<15:
      rows[key] = nil
      steps.append(.delete(key: key))
      changes.append(.delete(key: image(key, nil)))
      guard draw < 8 else { return }
      // As a row goes from one partition to another.
      rows[key] = .some(status)
      steps.append(.insert(key: key, status: status))
      changes.append(.insert(image(key, status)))
    case 15..<30:
      let other = Int.random(in: 0..<keys, using: &generator)
      guard rows[other] == nil else { fallthrough }
      rows[key] = nil
      rows[other] = .some(status)
      steps.append(.update(key: other, from: key, status: status, full: false))
      changes.append(.update(image(other, status), key: image(key, nil)))
    default:
      rows[key] = .some(status)
      steps.append(.update(key: key, from: key, status: status, full: draw < 40))
      changes.append(.update(image(key, status), old: draw < 40 ? image(key, before) : nil))
    }
  }

  private func image(_ key: Int, _ status: String?) -> [ColumnImage] {
    row(key, status) + (isWide ? [.null] : [])
  }

  /// What the log alone tells of the row before step `index`, for one who reads from step `start` on.
  func before(_ index: Int, from start: Int = 0) -> StateEvent.Previous? {
    let key: Int
    switch steps[index] {
    case .update(_, let from, _, _): key = from
    case .delete(let gone): key = gone
    default: return nil
    }
    for step in steps[start..<index].reversed() {
      switch step {
      case .truncate, .keyless, .describe: return nil
      case .insert(key, let status): return Self.told(status)
      case .update(key, _, let status, _): return Self.told(status)
      case .update(_, key, _, _), .delete(key): return nil
      default: continue
      }
    }
    return nil
  }

  static func told(_ status: String?) -> StateEvent.Previous? {
    guard let status, let state = EventLog.states.first(where: { $0.status?.string == status }) else {
      return nil
    }
    return StateEvent.Previous(status: .known(ExactText(status)), state: .state(state), source: .log)
  }
}

/// SplitMix64: the same numbers from the same seed.
struct SeededNumbers: RandomNumberGenerator {
  private var state: UInt64

  init(_ seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
    return mixed ^ mixed >> 31
  }
}
