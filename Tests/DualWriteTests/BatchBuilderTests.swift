import Derivation
import PGOutput
import Testing

@testable import DualWrite

@Suite("Batches") struct BatchBuilderTests {
  @Test("changes to one key coalesce, and the last one decides")
  func coalescing() throws {
    var scene = try BatchScene()
    try scene.transaction(
      final: 0x10, Record.insert(.text("1"), .null, .text("AUTH")),
      Record.update(.text("1"), .null, .text("CAPTURED")), Record.insert(.text("2"), .null, .text("AUTH")))
    try scene.transaction(final: 0x20, xid: 701, Record.update(.text("1"), .null, .text("AUTH")))
    #expect(scene.text == "1=derive 2=derive end=0/28 xids=700+701")
    #expect(scene.builder.batch.changes == 4)
    #expect(scene.builder.batch.transactions == 2)
  }

  @Test("a deleted row is gone; one inserted again is derived")
  func delete() throws {
    var scene = try BatchScene()
    try scene.transaction(
      final: 0x10, Record.insert(.text("1"), .null, .text("XXX")), Record.delete(.text("1"), .null, .null),
      Record.delete(.text("2"), .null, .null), Record.insert(.text("2"), .null, .text("AUTH")),
      Record.delete(.text("3"), .text("n"), .text("AUTH"), kind: .full))
    #expect(scene.text == "1=gone 2=derive 3=gone end=0/18 xids=700")
  }

  @Test(
    "a row whose key moved is derived under the new key and gone under the old one, with K and with O rows")
  func keyChange() throws {
    var scene = try BatchScene()
    try scene.transaction(
      final: 0x10, Record.update(.text("2"), .null, .text("AUTH"), old: [.text("1"), .null, .null]),
      Record.update(
        .text("4"), .null, .text("AUTH"), old: [.text("3"), .text("n"), .text("AUTH")], kind: .full))
    #expect(scene.text == "2=derive 1=gone 4=derive 3=gone end=0/18 xids=700")
  }

  @Test("an old row with the same key, as REPLICA IDENTITY FULL sends it, is no move")
  func fullIdentity() throws {
    var scene = try BatchScene()
    try scene.transaction(
      final: 0x10,
      Record.update(
        .text("1"), .null, .text("CAPTURED"), old: [.text("1"), .text("n"), .text("AUTH")], kind: .full))
    #expect(scene.text == "1=derive end=0/18 xids=700")
  }

  @Test("a key that moved away and back is derived")
  func keyReturns() throws {
    var scene = try BatchScene()
    try scene.transaction(
      final: 0x10, Record.update(.text("2"), .null, .text("AUTH"), old: [.text("1"), .null, .null]),
      Record.update(.text("1"), .null, .text("AUTH"), old: [.text("2"), .null, .null]))
    #expect(scene.text == "2=gone 1=derive end=0/18 xids=700")
  }

  @Test("a TOASTed key that did not change is taken from the old row")
  func toastedKey() throws {
    var scene = try BatchScene()
    try scene.transaction(
      final: 0x10, Record.update(.unchanged, .null, .text("AUTH"), old: [.text("1"), .null, .null]))
    #expect(scene.text == "1=derive end=0/18 xids=700")
  }

  @Test("columns of a composite key are taken in the definition's order, wherever they stand in the row")
  func compositeKey() throws {
    var scene = try BatchScene(key: ["note", "id"])
    try scene.transaction(final: 0x10, Record.insert(.text("1"), .text("a"), .text("AUTH")))
    #expect(scene.text == "a+1=derive end=0/18 xids=700")
  }

  @Test("an unknown status is remembered with its transaction's commit end, each status and transaction once")
  func unknown() throws {
    var scene = try BatchScene()
    try scene.transaction(
      final: 0x10, Record.insert(.text("1"), .null, .text("XXX")),
      Record.insert(.text("2"), .null, .text("XXX")), Record.insert(.text("3"), .null, .null))
    try scene.transaction(final: 0x20, Record.insert(.text("4"), .null, .text("XXX")))
    #expect(
      scene.text
        == "1=derive?XXX@0/18 2=derive?XXX@0/18 3=derive?NULL@0/18 4=derive?XXX@0/28 end=0/28 xids=700")
    #expect(scene.builder.batch.unknown.count == 3)
  }

  @Test("NULL is known where the map has it; a status differs by case, spaces and bytes")
  func exactStatus() throws {
    let map = StateMap([
      State(id: "1", code: "a", status: "AUTH"), State(id: "2", code: "n", status: nil),
    ])
    var scene = try BatchScene(map: map)
    try scene.transaction(
      final: 0x10, Record.insert(.text("1"), .null, .null), Record.insert(.text("2"), .null, .text("auth")),
      Record.insert(.text("3"), .null, .text("AUTH ")), Record.insert(.text("4"), .null, .text("")))
    #expect(
      scene.text
        == "1=derive 2=derive?auth@0/18 3=derive?AUTH @0/18 4=derive?@0/18 end=0/18 xids=700")
  }

  @Test("a map of many statuses knows them as well as one of few")
  func manyStatuses() throws {
    let map = StateMap(
      (0..<100).map { State(id: ExactText("\($0)"), code: ExactText("c\($0)"), status: ExactText("S\($0)")) })
    var scene = try BatchScene(map: map)
    try scene.transaction(
      final: 0x10, Record.insert(.text("1"), .null, .text("S99")),
      Record.insert(.text("2"), .null, .text("S100")))
    #expect(scene.text == "1=derive 2=derive?S100@0/18 end=0/18 xids=700")
  }

  @Test("a status that was not sent leaves what was known of the key")
  func unchangedStatus() throws {
    var scene = try BatchScene()
    try scene.transaction(
      final: 0x10, Record.insert(.text("1"), .null, .text("XXX")),
      Record.update(.text("1"), .text("n"), .unchanged), Record.update(.text("2"), .text("n"), .unchanged))
    #expect(scene.text == "1=derive?XXX@0/18 2=derive~ end=0/18 xids=700")
  }

  @Test("a status that came to be known to the map is unknown no longer")
  func mapGrows() throws {
    var scene = try BatchScene()
    try scene.transaction(
      final: 0x10, Record.insert(.text("1"), .null, .text("XXX")),
      Record.insert(.text("2"), .null, .text("YYY")))
    scene.builder.use(StatusSet(StateMap([State(id: "3", code: "x", status: "XXX")])))
    #expect(scene.text == "1=derive 2=derive?YYY@0/18 end=0/18 xids=700")
  }

  @Test("a truncate forgets the keys before it and keeps those after it; of another table it is nothing")
  func truncate() throws {
    var scene = try BatchScene()
    try scene.add(Record.relation(9, name: "other"))
    try scene.transaction(final: 0x10, Record.insert(.text("1"), .null, .text("XXX")), Record.truncate(9))
    #expect(scene.text == "1=derive?XXX@0/18 end=0/18 xids=700")
    try scene.transaction(
      final: 0x20, Record.truncate(9, 7), Record.insert(.text("2"), .null, .text("AUTH")))
    #expect(scene.text == "truncated 2=derive end=0/28 xids=700")
    #expect(scene.builder.batch.unknown.isEmpty)
  }

  @Test("another table's changes are nothing, whatever their columns are")
  func otherTable() throws {
    var scene = try BatchScene()
    try scene.add(Record.relation(9, schema: "audit"), Record.relation(10, name: "Transactions"))
    try scene.transaction(
      final: 0x10, Record.insert(.text("1"), .null, .text("AUTH"), in: 9),
      Record.insert(.text("1"), .null, .text("AUTH"), in: 10), Record.insert(.text("1"), in: 11))
    #expect(scene.text == "end=0/18 xids=700")
    #expect(scene.builder.batch.changes == 0)
  }

  @Test(
    "a transaction whose commit record lies before the checkpoint is skipped; one that begins there is not")
  func skipThrough() throws {
    var scene = try BatchScene(skipThrough: 0x20)
    try scene.transaction(
      final: 0x18, Record.insert(.text("1"), .null, .text("XXX")), Record.truncate(7))
    #expect(scene.text == "end=none xids=")
    #expect(scene.builder.batch.isEmpty)
    try scene.transaction(final: 0x1F, Record.insert(.text("2"), .null, .text("AUTH")))
    #expect(scene.builder.batch.isEmpty)
    try scene.transaction(final: 0x20, xid: 701, Record.insert(.text("3"), .null, .text("AUTH")))
    #expect(scene.text == "3=derive end=0/28 xids=701")
  }

  @Test("a relation described inside a skipped transaction holds for those after it")
  func relationInSkipped() throws {
    var scene = try BatchScene(skipThrough: 0x20, relation: nil)
    try scene.transaction(
      final: 0x10, Record.relation(columns: ["status", "id"]), Record.insert(.text("AUTH"), .text("1")))
    try scene.transaction(final: 0x20, Record.insert(.text("AUTH"), .text("2")))
    #expect(scene.text == "2=derive end=0/28 xids=700")
  }

  @Test("a batch taken inside a transaction has no end past it, and the rest goes on under the same number")
  func takenInside() throws {
    var scene = try BatchScene()
    try scene.transaction(final: 0x10, Record.insert(.text("1"), .null, .text("AUTH")))
    try scene.add(Record.begin(final: 0x20, xid: 701), Record.insert(.text("2"), .null, .text("AUTH")))
    #expect(scene.builder.isInsideTransaction)
    let first = scene.builder.take(Batch(capacity: 4))
    #expect(BatchScene.text(first) == "1=derive 2=derive end=0/18 xids=700+701")
    try scene.add(
      Record.insert(.text("3"), .null, .text("AUTH")), Record.commit(final: 0x20, end: 0x28))
    #expect(!scene.builder.isInsideTransaction)
    #expect(scene.text == "3=derive end=0/28 xids=701")
    #expect(BatchScene.text(scene.builder.take(Batch(capacity: 4))) == "3=derive end=0/28 xids=701")
    #expect(scene.builder.batch.isEmpty)
  }

  @Test("a published table without a key column is refused, and so is a change without its key")
  func unfit() throws {
    var scene = try BatchScene()
    let missing = #expect(throws: DualWriteError.self) {
      try scene.add(Record.relation(columns: ["note", "status"]))
    }
    #expect(
      missing?.description
        == "the changes of public.transactions cannot be used: key column id is not published")
    let keyless = #expect(throws: DualWriteError.self) {
      try scene.transaction(final: 0x10, Record.delete(.null, .text("n"), .null))
    }
    #expect(
      keyless?.description == "the changes of public.transactions cannot be used: "
        + "a change arrived without its key; its replica identity has changed")
    #expect(keyless?.hint == "publish the key columns and the old column, in text form")
  }

  @Test("without the old column rows are derived as they stand")
  func contracted() throws {
    var scene = try BatchScene(relation: Record.relation(columns: ["id", "note"]))
    try scene.transaction(final: 0x10, Record.insert(.text("1"), .null))
    #expect(scene.text == "1=derive~ end=0/18 xids=700")
  }

  @Test("every record cut short is an error with its place, never a trap")
  func cutShort() throws {
    let records = [
      Record.begin(final: 0x10), Record.commit(final: 0x10, end: 0x18), Record.relation(),
      try Record.insert(.text("1"), .null, .text("AUTH")),
      try Record.update(.text("2"), .null, .text("AUTH"), old: [.text("1"), .null, .null]),
      try Record.delete(.text("1"), .null, .null), Record.truncate(7),
    ]
    for record in records {
      for length in 0..<record.count {
        var scene = try BatchScene()
        let error = #expect(throws: DualWriteError.self) { try scene.add(Array(record.prefix(length))) }
        guard case .decode(_, let walStart)? = error else {
          Issue.record("\(String(describing: error))")
          continue
        }
        #expect(walStart == LSN(rawValue: 16))
      }
    }
  }
}
