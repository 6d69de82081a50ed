/// What one slot does: which ledger it reads, what it derives, and how it writes.
///
/// It is read from YAML by `parse`; `docs/slot-definition.md` describes every field.
public struct SlotDefinition: Hashable, Sendable {
  /// The replication slot's name: 1 to 63 of `a-z`, `0-9` and `_` (PostgreSQL's own rule).
  public var slot: String
  /// The publication the slot reads; the slot's name unless given.
  public var publication: Identifier
  /// Where the ledger is.
  public var source: ConnectionString
  /// What is derived from what.
  public var derive: Derive
  /// Where the change log lies.
  public var log: Log
  /// When a position is confirmed to the slot.
  public var confirm: Confirm
  /// What is asked of the stream.
  public var stream: Stream
  /// How the dual-write writes.
  public var write: Write
  /// How the backfill writes.
  public var backfill: Backfill
  /// How the schema is changed.
  public var migrate: Migrate
  /// What events are called, and carry.
  public var events: Events
  /// What is served over HTTP; nil: nothing.
  public var serve: Serve?

  /// A definition from its parts.
  public init(
    slot: String, publication: Identifier, source: ConnectionString, derive: Derive, log: Log,
    confirm: Confirm = .logged, stream: Stream = Stream(), write: Write = Write(),
    backfill: Backfill = Backfill(), migrate: Migrate = Migrate(), events: Events = Events(),
    serve: Serve? = nil
  ) {
    self.slot = slot
    self.publication = publication
    self.source = source
    self.derive = derive
    self.log = log
    self.confirm = confirm
    self.stream = stream
    self.write = write
    self.backfill = backfill
    self.migrate = migrate
    self.events = events
    self.serve = serve
  }
}

extension SlotDefinition {
  /// Which column is derived from which, by which map.
  public struct Derive: Hashable, Sendable {
    /// Where the new column stands.
    public var layout: Layout
    /// The ledger's table.
    public var table: QualifiedName
    /// The columns that name a row; never empty, never twice the same, never the new column.
    public var key: [Identifier]
    /// The old column.
    public var from: Identifier
    /// The new column, which this slot writes.
    public var to: Identifier
    /// The map between the two.
    public var map: Map

    /// A derivation from its parts.
    public init(
      layout: Layout = .inPlace, table: QualifiedName, key: [Identifier], from: Identifier, to: Identifier,
      map: Map
    ) {
      self.layout = layout
      self.table = table
      self.key = key
      self.from = from
      self.to = to
      self.map = map
    }
  }

  /// Where the new column stands.
  public enum Layout: String, CaseIterable, Sendable {
    /// In the ledger's own table, beside the old one.
    case inPlace = "in-place"
  }

  /// The table that maps the old text to the new value.
  public struct Map: Hashable, Sendable {
    /// The map table.
    public var table: QualifiedName
    /// Its column with the new value.
    public var id: Identifier
    /// Its column with the normalized code.
    public var code: Identifier
    /// Its column with the old text.
    public var status: Identifier
    /// The states it must hold, without problems among themselves; empty when the definition lists none.
    public var states: [State]

    /// A map from its parts.
    public init(
      table: QualifiedName, id: Identifier, code: Identifier, status: Identifier, states: [State] = []
    ) {
      self.table = table
      self.id = id
      self.code = code
      self.status = status
      self.states = states
    }
  }
}
