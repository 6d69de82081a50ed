/// `R`: what a table looks like; sent before its first change, and again when it changes
/// (`logicalrep_write_rel`, `pgoutput.c maybe_send_schema`).
public struct Relation: Hashable, Sendable {
  /// Which old values an update or delete carries (`REPLICA IDENTITY`).
  public enum ReplicaIdentity: UInt8, Sendable {
    /// The primary key.
    case `default` = 0x64
    /// Nothing.
    case nothing = 0x6E
    /// All columns.
    case full = 0x66
    /// The columns of a unique index.
    case index = 0x69
  }

  /// The streamed transaction it belongs to, inside a streamed block.
  public var xid: TransactionID?
  /// The table.
  public var id: RelationID
  /// The schema as sent: empty for `pg_catalog`.
  public var namespace: String
  /// The table's name.
  public var name: String
  /// Which old values an update or delete carries.
  public var replicaIdentity: ReplicaIdentity
  /// The published columns, in the order of the rows' columns.
  public var columns: [Column]

  /// A relation from its parts.
  public init(
    xid: TransactionID? = nil, id: RelationID, namespace: String, name: String,
    replicaIdentity: ReplicaIdentity, columns: [Column]
  ) {
    self.xid = xid
    self.id = id
    self.namespace = namespace
    self.name = name
    self.replicaIdentity = replicaIdentity
    self.columns = columns
  }

  /// Reads what follows the tag.
  init(from reader: inout WireReader, format: StreamFormat) throws(DecodeError) {
    xid = try reader.streamedTransactionID(format)
    id = RelationID(rawValue: try reader.uint32("relation id"))
    namespace = try reader.string("schema")
    name = try reader.string("table name")
    let identity = try reader.uint8("replica identity")
    guard let replicaIdentity = ReplicaIdentity(rawValue: identity) else {
      throw reader.unexpected("replica identity", byte: identity, allowed: "d, n, f, i")
    }
    self.replicaIdentity = replicaIdentity
    let count = Int(try reader.uint16("column count"))
    columns = []
    for index in 0..<count {
      do throws(DecodeError) {
        columns.append(try Column(from: &reader))
      } catch {
        throw error.inColumn(index)
      }
    }
  }

  /// Writes the message.
  public func encode(to writer: inout WireWriter) {
    writer.uint8(MessageTag.relation.rawValue)
    writer.streamedTransactionID(xid)
    writer.uint32(id.rawValue)
    writer.string(namespace)
    writer.string(name)
    writer.uint8(replicaIdentity.rawValue)
    writer.uint16(UInt16(truncatingIfNeeded: columns.count))
    for column in columns { column.encode(to: &writer) }
  }

  /// The schema's real name: the wire says nothing for `pg_catalog`.
  public var schema: String { namespace.isEmpty ? "pg_catalog" : namespace }

  /// `schema.table`, unquoted.
  public var qualifiedName: String { "\(schema).\(name)" }

  /// The index of the column with exactly this name.
  public func columnIndex(named name: String) -> Int? {
    columns.firstIndex { $0.name.utf8.elementsEqual(name.utf8) }
  }
}
