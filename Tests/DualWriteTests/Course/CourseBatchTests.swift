import Derivation
import PGOutput
import Testing

@testable import DualWrite

/// A builder in the standing `both`, fed with records of a table of id, status and state_id, whose old rows are sent whole.
@Suite("Batches while both columns are written") struct CourseBatchTests {
  private var builder: BatchBuilder

  init() throws {
    builder = BatchBuilder(
      derive: try .example(), slot: "s", statuses: StatusSet(.example), standing: .both,
      blank: Array("AUTH".utf8),
      skipThrough: .invalid, capacity: 4)
    try add(Record.relation(columns: ["id", "status", "state_id"]))
  }

  private mutating func add(_ records: [UInt8]...) throws {
    for record in records { try record.withUnsafeBytes { try builder.add($0, walStart: 16) } }
  }

  private mutating func transaction(_ final: UInt64, xid: UInt32, _ records: [UInt8]...) throws {
    try add(Record.begin(final: final, xid: xid))
    for record in records { try add(record) }
    try add(Record.commit(final: final, end: final + 8))
  }

  /// `1=forward@700`, a key a word, in the keys' order.
  private var intended: String {
    builder.book.pending.map { key, intention in
      let id = String(decoding: key.dropFirst(4), as: UTF8.self)
      return "\(id)=\(intention.way)@\(intention.version)"
    }.sorted().joined(separator: " ")
  }

  @Test("each column follows the one that moved; nothing is intended before the transaction is whole")
  mutating func ways() throws {
    try add(
      Record.begin(final: 0x10, xid: 700), Record.insert(.text("1"), .text("AUTH"), .null),
      Record.insert(.text("2"), .text("AUTH"), .text("2")))
    #expect(intended == "")
    try add(Record.commit(final: 0x10, end: 0x18))
    #expect(intended == "1=forward@700 2=reverse@700")
    try transaction(
      0x20, xid: 701,
      Record.update(
        .text("1"), .text("AUTH"), .text("2"), old: [.text("1"), .text("AUTH"), .text("1")], kind: .full),
      Record.update(
        .text("2"), .text("AUTH"), .text("2"), old: [.text("2"), .text("AUTH"), .text("2")], kind: .full))
    // The second did not touch the pair: what was meant still is, in the younger version.
    #expect(intended == "1=reverse@701 2=reverse@701")
    try transaction(0x30, xid: 702, Record.delete(.text("1"), .text("AUTH"), .text("2"), kind: .full))
    #expect(intended == "2=reverse@701")
  }

  @Test("a row that takes another key, or another partition with it, takes its intention along")
  mutating func moves() throws {
    try transaction(0x10, xid: 700, Record.insert(.text("1"), .text("AUTH"), .text("2")))
    try transaction(
      0x20, xid: 701,
      Record.update(
        .text("5"), .text("AUTH"), .text("2"), old: [.text("1"), .text("AUTH"), .text("2")], kind: .full))
    #expect(intended == "5=reverse@701")
    try transaction(
      0x30, xid: 702, Record.delete(.text("5"), .text("AUTH"), .text("2"), kind: .full),
      Record.insert(.text("6"), .text("AUTH"), .text("2")))
    #expect(intended == "6=reverse@702")
  }

  @Test("a row that goes and comes back in one transaction is an insert: its writer named the new column")
  mutating func cameBack() throws {
    try transaction(
      0x10, xid: 700, Record.delete(.text("1"), .text("CAPTURED"), .text("2"), kind: .full),
      Record.insert(.text("1"), .text("AUTH"), .text("2")))
    #expect(intended == "1=reverse@700")
  }

  @Test(
    "of a row that changed partition, the column that moved tells; one that went and another that came are two"
  )
  func partitions() throws {
    let key = { (id: UInt8, region: UInt8) -> KeyBytes in [1, 0, 0, 0, id, 1, 0, 0, 0, region] }
    let byRegion = PartitionKey(columns: [false, true])
    #expect(byRegion.mayBeOne(key(1, 1), key(1, 2)))
    #expect(!byRegion.mayBeOne(key(1, 1), key(2, 1)) && !byRegion.mayBeOne(key(1, 1), key(2, 2)))
    #expect(!byRegion.mayBeOne(key(1, 1), key(1, 1)))
    #expect(PartitionKey(columns: [false, false]).mayBeOne(key(1, 1), key(1, 1)))
    #expect(!PartitionKey(columns: [true, true]).mayBeOne(key(1, 1), key(2, 1)))
    #expect(!byRegion.mayBeOne([], key(1, 1)) && !byRegion.mayBeOne([9, 0, 0, 0], key(1, 1)))
  }

  @Test("a contradiction is refused with its reason, and a later change of the same batch takes that back")
  mutating func refusal() throws {
    let contradiction = try Record.update(
      .text("1"), .text("CAPTURED"), .text("1"), old: [.text("1"), .text("AUTH"), .text("2")], kind: .full)
    try transaction(0x10, xid: 700, contradiction)
    #expect(intended == "")
    let entry = try #require(builder.batch.keys.entries.first)
    #expect(builder.batch.unknown[Int(entry.unknown)].reason == Verdict.Refusal.contradiction.reason)
    try transaction(
      0x20, xid: 701,
      Record.update(
        .text("1"), .text("CAPTURED"), .text("2"), old: [.text("1"), .text("CAPTURED"), .text("1")],
        kind: .full))
    #expect(builder.batch.keys.entries.first?.unknown == -1)
  }

  @Test("a state that came to be known to the map is intended after all")
  mutating func reload() throws {
    try transaction(
      0x10, xid: 700,
      Record.update(
        .text("1"), .text("AUTH"), .text("3"), old: [.text("1"), .text("AUTH"), .text("1")], kind: .full))
    #expect(intended == "")
    builder.use(
      StatusSet(
        StateMap([
          State(id: "1", code: "authorized", status: "AUTH"),
          State(id: "3", code: "settled", status: "SETTLED"),
        ])))
    #expect(intended == "1=reverse@700")
    #expect(builder.batch.keys.entries.first?.unknown == -1)
  }

  @Test("a change that came without one of the columns tells nothing of its row, unless the new one is NULL")
  mutating func unsent() throws {
    try add(Record.relation(columns: ["id", "state_id"]))
    try transaction(
      0x10, xid: 700, Record.update(.text("1"), .text("2")), Record.update(.text("2"), .null),
      Record.insert(.text("3"), .text("2")), Record.delete(.text("4"), .null))
    #expect(intended == "2=forward@700")
    #expect(builder.batch.unknown.map(\.refusal) == [.unsent, .unsent])
    let parameters = BatchParameters(builder.batch, keyColumns: 1, withSettled: false)
    #expect(parameters.unsentCount == 2 && parameters.quarantinedCount == 0)
    // The map says no more of them than before.
    builder.use(StatusSet(.example))
    #expect(builder.batch.keys.entries.filter { $0.unknown >= 0 }.count == 2)
    try add(Record.relation(columns: ["id", "status"]))
    try transaction(0x20, xid: 701, Record.update(.text("2"), .text("AUTH")))
    #expect(intended == "")
    #expect(builder.batch.unknown.map(\.refusal) == [.unsent, .unsent, .unsent])
  }
}
