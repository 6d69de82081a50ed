import PGOutput
import Testing

@testable import DualWrite

@Suite("Batches of binary values") struct BinaryBatchTests {
  /// id bigint, note text, status of a type that is not built in.
  private static let relation = Record.relation(types: [20, 25, 16_400])

  private func scene(forms: [TypeOID: BinaryForm] = [TypeOID(rawValue: 16_400): .text]) throws -> BatchScene {
    try BatchScene(relation: Self.relation, forms: forms)
  }

  private func id(_ number: UInt8) -> ColumnImage { .binary([0, 0, 0, 0, 0, 0, 0, number]) }

  @Test("keys read as texts, so that a key is one key in either form, and statuses are looked up as texts")
  func bothForms() throws {
    var scene = try scene()
    try scene.transaction(
      final: 0x10, Record.insert(id(7), .null, .binary(Array("AUTH".utf8))),
      Record.update(.text("7"), .null, .text("CAPTURED")),
      Record.insert(id(8), .null, .binary(Array("XXX".utf8))), Record.delete(id(9), .null, .null))
    #expect(scene.text == "7=derive 8=derive?XXX@0/18 9=gone end=0/18 xids=700")
  }

  @Test(
    "a type that nobody can read, or bytes that are not of the type, stop the batch with the column's name")
  func unreadable() throws {
    var unknown = try scene(forms: [:])
    let first = #expect(throws: DualWriteError.self) {
      try unknown.transaction(final: 0x10, Record.insert(id(7), .null, .binary(Array("AUTH".utf8))))
    }
    #expect(
      first?.description
        == "the changes of public.transactions cannot be used: column status came in a binary form that cannot be read"
    )
    var short = try scene()
    let second = #expect(throws: DualWriteError.self) {
      try short.transaction(final: 0x10, Record.insert(.binary([1, 2]), .null, .text("AUTH")))
    }
    #expect(second?.description.contains("column id came in a binary form") == true)
  }
}
