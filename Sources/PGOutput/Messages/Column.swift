/// A column as `R` describes it (`logicalrep_write_attrs`).
public struct Column: Hashable, Sendable {
  /// The wire's flags; bit 1 is the only one in use.
  public var flags: UInt8
  /// Its name.
  public var name: String
  /// Its type.
  public var type: TypeOID
  /// The type's modifier (a length, a precision); -1 for none.
  public var typeModifier: Int32

  /// Part of the replica identity. With `REPLICA IDENTITY FULL` every column is.
  public var isKey: Bool { flags & 1 != 0 }

  /// A column from its parts.
  public init(isKey: Bool = false, name: String, type: TypeOID, typeModifier: Int32 = -1) {
    flags = isKey ? 1 : 0
    self.name = name
    self.type = type
    self.typeModifier = typeModifier
  }

  init(from reader: inout WireReader) throws(DecodeError) {
    flags = try reader.uint8("flags")
    name = try reader.string("column name")
    type = TypeOID(rawValue: try reader.uint32("type"))
    typeModifier = Int32(bitPattern: try reader.uint32("type modifier"))
  }

  func encode(to writer: inout WireWriter) {
    writer.uint8(flags)
    writer.string(name)
    writer.uint32(type.rawValue)
    writer.uint32(UInt32(bitPattern: typeModifier))
  }
}

/// `Y`: the name of a type that is not built in; stands before the `R` that uses it (`logicalrep_write_typ`).
///
/// For a domain the oid is the domain's and the name that of its base type.
public struct TypeName: Hashable, Sendable {
  /// The streamed transaction it belongs to, inside a streamed block.
  public var xid: TransactionID?
  /// The type.
  public var id: TypeOID
  /// The schema as sent: empty for `pg_catalog`.
  public var namespace: String
  /// The type's name.
  public var name: String

  /// A type's name from its parts.
  public init(xid: TransactionID? = nil, id: TypeOID, namespace: String, name: String) {
    self.xid = xid
    self.id = id
    self.namespace = namespace
    self.name = name
  }

  /// Reads what follows the tag.
  init(from reader: inout WireReader, format: StreamFormat) throws(DecodeError) {
    xid = try reader.streamedTransactionID(format)
    id = TypeOID(rawValue: try reader.uint32("type"))
    namespace = try reader.string("schema")
    name = try reader.string("type name")
  }

  /// Writes the message.
  public func encode(to writer: inout WireWriter) {
    writer.uint8(MessageTag.type.rawValue)
    writer.streamedTransactionID(xid)
    writer.uint32(id.rawValue)
    writer.string(namespace)
    writer.string(name)
  }
}
