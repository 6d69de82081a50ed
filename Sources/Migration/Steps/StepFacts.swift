public import Derivation
public import DualWrite
public import Postgres

/// What the steps must know of the server beside the definition. A value: read from the catalogs by `ask`, or made up.
public struct StepFacts: Sendable, Hashable {
  /// A partition of the ledger's table, at any depth.
  public struct Partition: Sendable, Hashable {
    /// Its name.
    public var name: QualifiedName
    /// The table it is a partition of.
    public var parent: QualifiedName
    /// Whether it holds rows itself.
    public var isLeaf: Bool

    /// A partition from its parts.
    public init(name: QualifiedName, parent: QualifiedName, isLeaf: Bool = true) {
      self.name = name
      self.parent = parent
      self.isLeaf = isLeaf
    }
  }

  /// The server's version.
  public var version: ServerVersion
  /// Whether the ledger's table is partitioned.
  public var isPartitioned: Bool
  /// Its partitions, each after its parent.
  public var partitions: [Partition]
  /// The type of the map's id, which the new column takes.
  public var idType: String
  /// The type of the old column.
  public var statusType: String
  /// Whether the old column is NOT NULL.
  public var requiresStatus: Bool
  /// The old column's default, under whichever name it has, where that is a literal: `'AUTH'::text`.
  public var statusDefault: String?
  /// Whether the map table stands.
  public var hasMap: Bool
  /// The states of the definition that the map lacks.
  public var missingStates: [State]
  /// Whether schema `crossfade` stands.
  public var hasSchema: Bool
  /// The tables of the schema that are missing.
  public var missingTables: [ControlTable]
  /// The replica identity of the table and its partitions, by their quoted names: `DEFAULT`, `USING INDEX "name"`. It is the
  /// way back of a cutover, and no part of the plan.
  public var identities: [String: String] = [:]
  /// The columns that the publication lists; nil where it lists none, and sends all.
  public var publishedColumns: [String]?

  /// Facts from their parts; by default nothing stands yet, on a plain table.
  public init(
    version: ServerVersion, isPartitioned: Bool = false, partitions: [Partition] = [],
    idType: String = "bigint", statusType: String = "text", requiresStatus: Bool = false,
    hasMap: Bool = false, missingStates: [State] = [],
    hasSchema: Bool = false, missingTables: [ControlTable] = MigrationTables.all
  ) {
    self.version = version
    self.isPartitioned = isPartitioned
    self.partitions = partitions
    self.idType = idType
    self.statusType = statusType
    self.requiresStatus = requiresStatus
    self.hasMap = hasMap
    self.missingStates = missingStates
    self.hasSchema = hasSchema
    self.missingTables = missingTables
  }

  /// The partitions that hold rows.
  public var leaves: [Partition] { partitions.filter(\.isLeaf) }
}
