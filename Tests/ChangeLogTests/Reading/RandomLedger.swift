import ChangeLog
import PGOutput

/// A generator with a seed (SplitMix64), so that a failure can be seen again.
struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }
}

/// A log of made-up traffic in which everything occurs that a reader must understand: changes of several tables as text
/// and as binary, keys that change, truncations, messages in transactions and outside, tables that are described anew,
/// and frames that end anywhere.
struct RandomLedger {
  /// Keys of two columns: few, so that each has changes.
  static let keys = (0..<6).map { ["\($0)", $0 % 2 == 0 ? "EU" : "t"] }
  private static let names = ["transactions", "refunds", "audit"]

  private var random: SeededGenerator
  private var records = LedgerRecords(after: .exampleStart)
  private let frameBytes: Int

  init(seed: UInt64, frameBytes: Int) {
    random = SeededGenerator(seed: seed)
    self.frameBytes = frameBytes
  }

  /// Writes so many units.
  mutating func write(_ units: Int, to writer: ChangeLogWriter) throws {
    for number in 0..<UInt32(units) {
      if draw(12) == 0 {
        _ = records.announce("\(number)")
      } else {
        records.begin(xid: number, origin: draw(10) == 0 ? "elsewhere" : nil)
        for table in 0..<Self.names.count where number == 0 || draw(60) == 0 { describe(table) }
        for _ in 0..<(draw(9) == 0 ? draw(300) : draw(6)) {
          try change()
          if records.group.byteCount > frameBytes { try writer.append(records) }
        }
        _ = records.commit()
      }
      if records.group.byteCount > frameBytes || draw(20) == 0 { try writer.append(records) }
    }
    try writer.append(records)
  }

  /// The third has no region, so no row of it has a key of two columns; sometimes a column has been added in front.
  private mutating func describe(_ table: Int) { records.describe(Self.relation(table)) }

  private static func relation(_ table: Int) -> Relation {
    var columns = [
      Column(isKey: true, name: "id", type: TypeOID(rawValue: 20)),
      Column(isKey: true, name: table == 2 ? "zone" : "region", type: TypeOID(rawValue: 25)),
      Column(name: "status", type: TypeOID(rawValue: 25)),
    ]
    if table == 1 { columns.swapAt(0, 2) }
    return Relation(
      id: RelationID(rawValue: 16_400 + UInt32(table)), namespace: "public", name: names[table],
      replicaIdentity: .default, columns: columns)
  }

  private mutating func change() throws {
    let table = draw(3)
    let relation = Self.relation(table)
    switch draw(40) {
    case 0: records.truncate(relation)
    case 1: records.truncate(relation, Self.relation(draw(3)))
    case 2: records.message(draw(2) == 0 ? "1" : "3 EU")
    case 3..<12: try records.insert(row(table), in: relation)
    case 12..<16: try records.delete(row(table), isFull: draw(2) == 0, in: relation)
    case 16..<22: try records.update(row(table), from: row(table), isFull: draw(2) == 0, in: relation)
    default: try records.update(row(table), in: relation)
    }
  }

  private mutating func row(_ table: Int) -> [ColumnImage] {
    let key = Self.keys[draw(Self.keys.count)]
    var row: [ColumnImage] = [.text(key[0]), .text(key[1]), .text(draw(2) == 0 ? "AUTH" : "3")]
    if draw(3) == 0, let id = UInt64(key[0]) {
      row[0] = .binary((0..<8).map { UInt8(truncatingIfNeeded: id >> (56 - 8 * UInt64($0))) })
      row[1] = .binary(Array(key[1].utf8))
    }
    switch draw(12) {
    case 0: row[1] = .null
    case 1: row[draw(2)] = .unchanged
    default: break
    }
    if table == 1 { row.swapAt(0, 2) }
    return row
  }

  private mutating func draw(_ bound: Int) -> Int { Int.random(in: 0..<bound, using: &random) }
}

extension LedgerRecords {
  fileprivate func insert(_ row: [ColumnImage], in relation: Relation) throws {
    let new = OwnedTuple(row)
    let view = try new.view
    add { writer in Insert(relation: relation.id, new: view).encode(to: &writer) }
  }

  fileprivate func update(
    _ row: [ColumnImage], from old: [ColumnImage]? = nil, isFull: Bool = false, in relation: Relation
  ) throws {
    let new = OwnedTuple(row)
    let view = try new.view
    guard let old else {
      return add { writer in Update(relation: relation.id, new: view).encode(to: &writer) }
    }
    let before = OwnedTuple(old)
    let oldView = try before.view
    add { writer in
      Update(relation: relation.id, oldKind: isFull ? .full : .key, old: oldView, new: view)
        .encode(to: &writer)
    }
  }

  fileprivate func delete(_ row: [ColumnImage], isFull: Bool, in relation: Relation) throws {
    let old = OwnedTuple(row)
    let view = try old.view
    add { writer in
      Delete(relation: relation.id, oldKind: isFull ? .full : .key, old: view).encode(to: &writer)
    }
  }
}
