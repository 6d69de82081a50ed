public import ChangeLog
public import Derivation

/// What a repair writes, and how fast.
public struct RepairPlan: Sendable {
  /// The log.
  public var log: LogSource
  /// The slot, its table and its target.
  public var definition: SlotDefinition
  /// What was asked for.
  public var request: RepairRecord.Request
  /// The rows; nil for all.
  public var keys: Set<RowKey>?
  /// The map; nil for the target's own, as it stands when a row is written.
  public var states: [State]?
  /// Whether damage in the log is crossed.
  public var crossesDamage: Bool
  /// Most keys in a commit.
  public var batch: Int
  /// Most keys a second; nil for no limit.
  public var rate: Int?

  /// A plan from its parts.
  public init(
    log: LogSource, definition: SlotDefinition, request: RepairRecord.Request, keys: Set<RowKey>?,
    states: [State]?, crossesDamage: Bool, batch: Int, rate: Int?
  ) {
    self.log = log
    self.definition = definition
    self.request = request
    self.keys = keys
    self.states = states
    self.crossesDamage = crossesDamage
    self.batch = max(1, batch)
    self.rate = rate
  }
}

extension RepairRecord.Request {
  /// The keys in a fixed order and form.
  public static func text(of keys: Set<RowKey>?) -> String? {
    keys.map { keys in
      keys.map(\.text).sorted().joined(separator: ";")
    }
  }

  /// What a definition derives, from which columns into which.
  public static func text(of derive: SlotDefinition.Derive) -> String {
    let map = derive.map
    return
      "\(derive.table) (\(derive.key.map(\.description).joined(separator: ", "))): \(derive.from) -> \(derive.to) "
      + "by \(map.table) (\(map.id), \(map.code), \(map.status))"
  }

  /// The states in a fixed order and form.
  public static func text(of states: [State]?) -> String? {
    states.map { states in
      states.map { "\($0.status.map { "\($0.bytes.count):\($0.string)" } ?? "NULL")=\($0.id.string)" }
        .sorted()
        .joined(separator: ";")
    }
  }
}
