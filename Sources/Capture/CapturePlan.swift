public import Postgres

/// What to capture, from where, into which log.
public struct CapturePlan: Sendable {
  /// A table to publish, with the columns the slot needs.
  public struct Table: Sendable, Equatable {
    /// The schema's name.
    public var schema: String
    /// The table's name.
    public var name: String
    /// The columns that leave the ledger (15 and later list them in the publication).
    public var columns: [String]
    /// Those of them that the table may have lost in the meantime: the old column, once it is retired.
    public var mayBeGone: [String]

    /// The column whose text the map is asked by, for which stream and SQL must mean the same text.
    public var status: String?

    /// A table with the columns needed of it.
    public init(
      schema: String, name: String, columns: [String], mayBeGone: [String] = [], status: String? = nil
    ) {
      self.schema = schema
      self.name = name
      self.columns = columns
      self.mayBeGone = mayBeGone
      self.status = status
    }
  }

  /// libpq connection string of the ledger.
  public var connection: String
  /// The replication slot.
  public var slot: String
  /// The publication.
  public var publication: String
  /// What the publication holds.
  public var table: Table
  /// The change log's directory.
  public var directory: String
  /// Bytes after which a segment is closed.
  public var segmentSize: Int
  /// The replication origin our own writes carry.
  public var ownOrigin: String
  /// The prefix of the logical message our own transactions begin with, where origins are not granted.
  public var ownPrefix: String
  /// The prefix of those logical messages of our own transactions that go to the log; nil where none does.
  public var ownCorrections: String?
  /// What is asked of the stream.
  public var wishes: StreamWishes
  /// Whether a new slot is made to be synchronized to standbys; nil: where the server can.
  public var failover: Bool?

  /// A plan from its parts.
  public init(
    connection: String, slot: String, publication: String, table: Table, directory: String, segmentSize: Int,
    ownOrigin: String, ownPrefix: String, ownCorrections: String? = nil,
    wishes: StreamWishes = StreamWishes(), failover: Bool? = nil
  ) {
    self.connection = connection
    self.slot = slot
    self.publication = publication
    self.table = table
    self.directory = directory
    self.segmentSize = segmentSize
    self.ownOrigin = ownOrigin
    self.ownPrefix = ownPrefix
    self.ownCorrections = ownCorrections
    self.wishes = wishes
    self.failover = failover
  }
}
