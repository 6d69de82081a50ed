import ChangeLog
import PGOutput

/// Made-up traffic of a card ledger as the wire has it: updates of one row each, with its status and its state.
///
/// Made in memory, since what is measured is the log and not a server; `LogSizeBench` takes its records from one. What
/// is made is the same each time.
struct LedgerTraffic {
  /// The table's name, for those who read.
  static let table = "public.transactions"
  private static let relation = Relation(
    id: RelationID(rawValue: 16_385), namespace: "public", name: "transactions", replicaIdentity: .default,
    columns: [
      Column(isKey: true, name: "id", type: TypeOID(rawValue: 20)),
      Column(name: "card_token", type: TypeOID(rawValue: 20)),
      Column(name: "merchant_id", type: TypeOID(rawValue: 23)),
      Column(name: "amount_cents", type: TypeOID(rawValue: 20)),
      Column(name: "currency", type: TypeOID(rawValue: 1042), typeModifier: 7),
      Column(name: "status", type: TypeOID(rawValue: 25)),
      Column(name: "updated_at", type: TypeOID(rawValue: 1184)),
      Column(name: "state_id", type: TypeOID(rawValue: 20)),
      Column(name: "receipt", type: TypeOID(rawValue: 17)),
    ])
  private static let statuses = ["AUTH", "CAPTURED", "Settled", "DECLINED"].map { Array($0.utf8) }

  /// Where its log begins.
  static let start: UInt64 = 0x1000

  /// Changes in each transaction.
  let size: Int
  /// Random bytes in each row, as text twice as many: what LZ4 cannot make smaller than half.
  let receipt: Int
  private(set) var end = LedgerTraffic.start
  private(set) var changes = 0
  private var random: UInt64 = 0x9E37_79B9_7F4A_7C15
  private var bytes: [UInt8] = []

  init(size: Int, receipt: Int = 0) {
    self.size = size
    self.receipt = receipt
    bytes.reserveCapacity(4096)
  }

  /// The key of a change, counted from 0: five million rows, each of them once in so many.
  static func key(_ change: Int) -> Int { 10_000_000 + (change &* 7_919) % 5_000_000 }

  /// Describes the table: goes before the first transaction.
  func describe(to group: RecordGroup) {
    var writer = WireWriter()
    Self.relation.encode(to: &writer)
    writer.bytes.withUnsafeBytes { group.append(walStart: 0, payload: $0) }
  }

  /// How far the end of a transaction lies from that of the one before.
  var step: UInt64 { UInt64(size) * 0xD8 + 0x58 }

  /// Where transaction number `number` of them ends, from 0.
  func place(of number: Int) -> LSN { LSN(rawValue: Self.start + step * UInt64(number + 1)) }

  /// Adds whole transactions until the group holds so many bytes or has no fewer changes than wanted.
  mutating func fill(_ group: RecordGroup, bytes limit: Int, changes wanted: Int = .max) {
    let before = changes
    while group.byteCount < limit, changes - before < wanted { transaction(group) }
  }

  private mutating func transaction(_ group: RecordGroup) {
    let first = end
    end += step
    message("B")
    number(end - 0x30)
    number(UInt64(changes) &* 1_000)
    number(UInt32(truncatingIfNeeded: changes))
    add(group, at: first)
    for row in 0..<size {
      update()
      add(group, at: first + UInt64(row) * 0xD8)
    }
    message("C")
    bytes.append(0)
    number(end - 0x30)
    number(end)
    number(UInt64(changes) &* 1_000)
    add(group, at: end - 0x30)
  }

  private mutating func update() {
    let draw = next()
    message("U")
    number(Self.relation.id.rawValue)
    bytes.append(UInt8(ascii: "N"))
    number(UInt16(Self.relation.columns.count))
    digits(UInt64(Self.key(changes)), 8)
    digits(4_000_000_000_000_000 + draw % 1_000_000_000, 16)
    digits(draw >> 32 % 5_000, 4)
    digits(draw >> 20 % 100_000, 5)
    text(Array("EUR".utf8))
    text(Self.statuses[Int(draw >> 8 & 3)])
    moment()
    digits(draw >> 8 & 3 + 1, 1)
    if receipt > 0 { hex() } else { bytes.append(UInt8(ascii: "n")) }
    changes += 1
  }

  /// `2026-11-21 10:00:00.000000+00` and on.
  private mutating func moment() {
    let micros = UInt64(changes) &* 313
    value(29) { target in
      let pattern: StaticString = "2026-11-21 10:00:00.000000+00"
      pattern.withUTF8Buffer { target.append(contentsOf: $0) }
      var rest = micros % 1_000_000
      for place in stride(from: target.count - 4, to: target.count - 10, by: -1) {
        target[place] = UInt8(48 + rest % 10)
        rest /= 10
      }
      let seconds = micros / 1_000_000 % 60
      target[target.count - 12] = UInt8(48 + seconds / 10)
      target[target.count - 11] = UInt8(48 + seconds % 10)
    }
  }

  private mutating func digits(_ number: UInt64, _ count: Int) {
    value(count) { target in
      var rest = number
      target.append(contentsOf: repeatElement(48, count: count))
      for place in stride(from: target.count - 1, to: target.count - 1 - count, by: -1) {
        target[place] = UInt8(48 + rest % 10)
        rest /= 10
      }
    }
  }

  private mutating func hex() {
    bytes.append(UInt8(ascii: "t"))
    number(UInt32(receipt * 2))
    for _ in 0..<receipt / 8 {
      var draw = next()
      for _ in 0..<16 {
        let digit = UInt8(draw & 15)
        bytes.append(digit < 10 ? 48 + digit : 87 + digit)
        draw >>= 4
      }
    }
  }

  private mutating func text(_ text: [UInt8]) { value(text.count) { $0 += text } }

  private mutating func value(_ count: Int, _ append: (inout [UInt8]) -> Void) {
    bytes.append(UInt8(ascii: "t"))
    number(UInt32(count))
    append(&bytes)
  }

  private mutating func message(_ tag: Unicode.Scalar) {
    bytes.removeAll(keepingCapacity: true)
    bytes.append(UInt8(ascii: tag))
  }

  private mutating func number<Number: FixedWidthInteger>(_ number: Number) {
    withUnsafeBytes(of: number.bigEndian) { bytes.append(contentsOf: $0) }
  }

  private func add(_ group: RecordGroup, at wal: UInt64) {
    bytes.withUnsafeBytes { group.append(walStart: wal, payload: $0) }
  }

  private mutating func next() -> UInt64 {
    random ^= random << 13
    random ^= random >> 7
    random ^= random << 17
    return random
  }
}
