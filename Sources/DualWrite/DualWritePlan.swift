public import Derivation

/// What is written where, and how.
public struct DualWritePlan: Sendable {
  /// libpq connection string of the target.
  public var connection: String
  /// The slot, which names checkpoint and quarantine.
  public var slot: String
  /// What is derived from what.
  public var derive: SlotDefinition.Derive
  /// Whether triggers keep both columns in step, and no old rows come.
  public var isBridged: Bool
  /// Most keys in a batch.
  public var batch: Int
  /// `lock_timeout` of the session, in milliseconds.
  public var lockTimeout: Int
  /// `statement_timeout` of the session, in milliseconds.
  public var statementTimeout: Int
  /// `synchronous_commit` of the session. Off is safe: a commit that a crash undoes takes its checkpoint with it.
  public var synchronousCommit: String

  /// The plan of a slot definition.
  ///
  /// Where confirmation waits for the dual-write, the slot must not be told of a commit that a crash may undo: then
  /// `synchronous_commit` is at least `local`.
  public init(_ definition: SlotDefinition) {
    connection = definition.source.revealed
    slot = definition.slot
    derive = definition.derive
    isBridged = definition.migrate.bridge == .trigger
    batch = definition.write.batch
    lockTimeout = definition.write.lockTimeout.count
    statementTimeout = definition.write.statementTimeout.count
    let asked = definition.write.synchronousCommit
    synchronousCommit = (definition.confirm == .applied && asked == .off ? .local : asked).rawValue
  }

  /// The replication origin our writes carry where the role may set one up.
  public static func origin(slot: String) -> String { OwnMarks.origin(slot: slot) }

  /// The prefix of the logical message our transactions begin with otherwise; its content is the slot's name.
  public static let messagePrefix = OwnMarks.message
}
