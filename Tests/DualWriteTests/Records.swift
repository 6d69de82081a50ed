import Derivation
import PGOutput

/// Messages of pgoutput for the derived table (relation 7: id, note, status) and another one (relation 9).
enum Record {
  static func begin(final: UInt64, xid: UInt32 = 700) -> [UInt8] {
    encoded(
      .begin(
        Begin(
          finalLSN: LSN(rawValue: final), commitTime: Timestamp(rawValue: 0),
          xid: TransactionID(rawValue: xid))))
  }

  static func commit(final: UInt64, end: UInt64) -> [UInt8] {
    encoded(
      .commit(
        Commit(
          commitLSN: LSN(rawValue: final), endLSN: LSN(rawValue: end), commitTime: Timestamp(rawValue: 0))))
  }

  static func relation(
    _ id: UInt32 = 7, schema: String = "public", name: String = "transactions",
    columns: [String] = ["id", "note", "status"], types: [UInt32] = []
  ) -> [UInt8] {
    encoded(
      .relation(
        Relation(
          id: RelationID(rawValue: id), namespace: schema, name: name, replicaIdentity: .default,
          columns: columns.enumerated().map { index, name in
            Column(name: name, type: TypeOID(rawValue: index < types.count ? types[index] : 25))
          })))
  }

  static func insert(_ new: ColumnImage..., in relation: UInt32 = 7) throws -> [UInt8] {
    let row = OwnedTuple(new)
    return encoded(.insert(Insert(relation: RelationID(rawValue: relation), new: try row.view)))
  }

  static func update(
    _ new: ColumnImage..., old: [ColumnImage]? = nil, kind: OldRowKind = .key
  ) throws -> [UInt8] {
    let row = OwnedTuple(new)
    let relation = RelationID(rawValue: 7)
    guard let old else { return encoded(.update(Update(relation: relation, new: try row.view))) }
    let before = OwnedTuple(old)
    return encoded(
      .update(Update(relation: relation, oldKind: kind, old: try before.view, new: try row.view)))
  }

  static func delete(_ old: ColumnImage..., kind: OldRowKind = .key) throws -> [UInt8] {
    let row = OwnedTuple(old)
    return encoded(.delete(Delete(relation: RelationID(rawValue: 7), oldKind: kind, old: try row.view)))
  }

  static func truncate(_ relations: UInt32...) -> [UInt8] {
    encoded(.truncate(Truncate(relations: relations.map { RelationID(rawValue: $0) })))
  }

  private static func encoded(_ message: borrowing Message) -> [UInt8] {
    var writer = WireWriter()
    message.encode(to: &writer)
    return writer.bytes
  }
}

extension SlotDefinition.Derive {
  /// `state_id` of `public.transactions` from `status`.
  static func example(
    table: String = "public.transactions", key: [String] = ["id"], map: String = "public.transaction_state"
  ) throws -> Self {
    SlotDefinition.Derive(
      table: try QualifiedName(sql: table), key: try key.map { try Identifier($0) },
      from: try Identifier("status"), to: try Identifier("state_id"),
      map: .init(
        table: try QualifiedName(sql: map), id: try Identifier("id"), code: try Identifier("code"),
        status: try Identifier("legacy_status")))
  }
}

extension StateMap {
  /// `AUTH` is 1, `CAPTURED` is 2.
  static let example = StateMap([
    State(id: "1", code: "authorized", status: "AUTH"), State(id: "2", code: "captured", status: "CAPTURED"),
  ])
}
