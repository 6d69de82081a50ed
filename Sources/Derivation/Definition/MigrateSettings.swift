extension SlotDefinition {
  /// How the schema is changed, forward and back.
  public struct Migrate: Hashable, Sendable {
    /// When the index on the new column is built.
    public var index: Index
    /// Parallel workers of an index build, beside its own process.
    public var indexWorkers: Int
    /// Whether the new column becomes a foreign key to the map.
    public var foreignKey: ForeignKey
    /// What keeps old and new column in step inside the writer's own transaction.
    public var bridge: Bridge
    /// The longest `lock_timeout` of an attempt: how long others may queue behind us.
    public var lockTimeout: Milliseconds
    /// How long a lock is tried for, all attempts together.
    public var lockBudget: Milliseconds
    /// How long no legacy write may have been seen before the old column goes.
    public var quiet: Milliseconds
    /// How long the renamed old column is kept before it is dropped.
    public var grace: Milliseconds
    /// Whether a cutover wants the proof of a rehearsal of its plan.
    public var rehearsed: Rehearsed
    /// Whether the queries of those who block are recorded; they may hold card data.
    public var recordsQueries: Bool
    /// The hazards of the plan that are accepted, so that no others are; nil where the definition does not say.
    public var accepted: Set<AcceptedHazard>?

    /// The settings; each has its default.
    public init(
      index: Index = .after, indexWorkers: Int = 0, foreignKey: ForeignKey = .validate,
      bridge: Bridge = .none,
      lockTimeout: Milliseconds = .seconds(2), lockBudget: Milliseconds = .seconds(600),
      quiet: Milliseconds = .seconds(24 * 3_600), grace: Milliseconds = .seconds(168 * 3_600),
      rehearsed: Rehearsed = .optional, recordsQueries: Bool = false, accepted: Set<AcceptedHazard>? = nil
    ) {
      self.index = index
      self.indexWorkers = indexWorkers
      self.foreignKey = foreignKey
      self.bridge = bridge
      self.lockTimeout = lockTimeout
      self.lockBudget = lockBudget
      self.quiet = quiet
      self.grace = grace
      self.rehearsed = rehearsed
      self.recordsQueries = recordsQueries
      self.accepted = accepted
    }
  }

  /// When the index on the new column is built.
  public enum Index: String, CaseIterable, Sendable {
    /// After the backfill, whose updates may then be HOT.
    case after
    /// With the column, for readers that need it at once.
    case before
    /// Never.
    case none
  }

  /// Whether the new column becomes a foreign key to the map.
  public enum ForeignKey: String, CaseIterable, Sendable {
    /// Added NOT VALID after the backfill, then validated.
    case validate
    /// Never.
    case none
  }

  /// Whether a cutover wants the proof of a rehearsal of its plan.
  public enum Rehearsed: String, CaseIterable, Sendable {
    /// It goes on without, and says so.
    case optional
    /// It is refused without.
    case required
  }

  /// What keeps old and new column in step inside the writer's own transaction.
  public enum Bridge: String, CaseIterable, Sendable {
    /// Nothing: the stream does, a moment later.
    case none
    /// A trigger, for those who must read their own writes.
    case trigger
  }
}

extension DefinitionReader {
  mutating func migrate(_ root: Section) -> SlotDefinition.Migrate {
    var migrate = SlotDefinition.Migrate()
    guard let section = optionalSection(root, "migrate", .migrate) else { return migrate }
    if let value = field(section, "index").flatMap({ choice($0, SlotDefinition.Index.self) }) {
      migrate.index = value
    }
    if let value = field(section, "index_workers").flatMap({ integer($0, in: 0...64) }) {
      migrate.indexWorkers = value
    }
    if let value = field(section, "foreign_key").flatMap({ choice($0, SlotDefinition.ForeignKey.self) }) {
      migrate.foreignKey = value
    }
    if let value = field(section, "bridge").flatMap({ choice($0, SlotDefinition.Bridge.self) }) {
      migrate.bridge = value
    }
    // Less than 10 ms no busy table would ever grant; more than a minute is an outage.
    if let value = span(section, "lock_timeout", from: 10, to: 60_000) { migrate.lockTimeout = value }
    if let value = span(section, "lock_budget", from: 1_000, to: 24 * 3_600_000) {
      migrate.lockBudget = value
    }
    if let value = span(section, "quiet", from: 0, to: 720 * 3_600_000) { migrate.quiet = value }
    if let value = span(section, "grace", from: 0, to: 2_160 * 3_600_000) { migrate.grace = value }
    if let value = field(section, "rehearsed").flatMap({ choice($0, SlotDefinition.Rehearsed.self) }) {
      migrate.rehearsed = value
    }
    if let value = field(section, "record_queries").flatMap({ truth($0) }) { migrate.recordsQueries = value }
    if let value = field(section, "accept").flatMap({ hazards($0) }) { migrate.accepted = value }
    return migrate
  }

  private mutating func span(_ section: Section, _ key: String, from low: Int, to high: Int) -> Milliseconds?
  {
    field(section, key).flatMap { duration($0, in: Milliseconds(low)...Milliseconds(high)) }
  }
}
