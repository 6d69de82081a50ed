/// One step of a migration: what is run, what it takes of the server, and the way back. A value: made from the slot
/// definition and what the catalogs say, shown by `plan`, carried out by the commands, emitted for other tools.
public struct Step: Sendable, Hashable {
  /// How it is carried out.
  public enum Manner: Sendable, Hashable {
    /// All statements in one transaction.
    case transaction
    /// Each statement by itself, outside of any: what PostgreSQL refuses in a transaction block, such as
    /// `CREATE INDEX CONCURRENTLY`.
    case alone
    /// Work of Crossfade's, not a list of statements: capture, backfill, verification.
    case work(command: String)
  }

  /// A lock on a table.
  public struct Lock: Sendable, Hashable {
    /// The table, as SQL names it.
    public var table: String
    /// Its mode.
    public var mode: LockMode

    /// A lock from its parts.
    public init(_ mode: LockMode, on table: String) {
      self.table = table
      self.mode = mode
    }
  }

  /// Its name, stable from version to version: `expand.column`.
  public var id: String
  /// The phase that it belongs to: the one that is reached when the last of its steps is done.
  public var phase: Phase
  /// What it does, in a few words: "add nullable column state_id to public.transactions".
  public var title: String
  /// How it is carried out.
  public var manner: Manner
  /// Its statements, complete, in order; none for work.
  public var statements: [String]
  /// The locks it takes, on every table it touches, the referenced one included.
  public var locks: [Lock]
  /// `lock_timeout` in milliseconds of the first and the last attempt; nil where waiting keeps nobody else waiting, and
  /// a limit would only make it fail (`CREATE INDEX CONCURRENTLY`, `VALIDATE`).
  public var lockTimeout: ClosedRange<Int>?
  /// `statement_timeout` in milliseconds; 0 is without limit, whatever the role's own setting is.
  public var statementTimeout: Int
  /// How long the locks are held, in words: "a moment", "while it reads the table, about 40 s".
  public var hold: String
  /// What an operator should know before.
  public var hazards: Set<Hazard>
  /// A query with one truth value: whether the step's effect stands already, whoever made it. Where it cannot run, because
  /// a table is not there, the answer is no. Nil for work, which keeps its own account.
  public var probe: String?
  /// A query for the statements that clear away what a broken off attempt left behind, such as an INVALID index.
  public var leftovers: String?
  /// The statements that undo it, in order; empty where there is nothing to undo.
  public var wayBack: [String]
  /// Whether each of them runs by itself, outside of a transaction.
  public var wayBackAlone: Bool
  /// The locks that they take.
  public var wayBackLocks: [Lock]
  /// What cannot be undone by statements, or what is lost by undoing it; nil where that is nothing.
  public var wayBackNote: String?
  /// Whether the step does only what is missing, so that a later run's way back comes to an earlier one's.
  public var wayBackAddsUp = false

  /// A step from its parts.
  public init(
    id: String, phase: Phase, title: String, manner: Manner = .transaction, statements: [String] = [],
    locks: [Lock] = [], lockTimeout: ClosedRange<Int>? = 100...2_000, statementTimeout: Int = 10_000,
    hold: String = "a moment", hazards: Set<Hazard> = [], probe: String? = nil, leftovers: String? = nil,
    wayBack: [String] = [], wayBackAlone: Bool = false, wayBackLocks: [Lock] = [], wayBackNote: String? = nil
  ) {
    self.id = id
    self.phase = phase
    self.title = title
    self.manner = manner
    self.statements = statements
    self.locks = locks
    self.lockTimeout = lockTimeout
    self.statementTimeout = statementTimeout
    self.hold = hold
    self.hazards = hazards
    self.probe = probe
    self.leftovers = leftovers
    self.wayBack = wayBack
    self.wayBackAlone = wayBackAlone
    self.wayBackLocks = wayBackLocks
    self.wayBackNote = wayBackNote
  }
}
