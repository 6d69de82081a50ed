import PGOutput
import Testing

@Suite("Tuples") struct TupleTests {
  static let row = OwnedTuple([.text("a"), .null, .unchanged, .binary([0, 255]), .text("")])

  @Test("a column is found by its index, and there is none beyond")
  func columns() throws {
    let view = try Self.row.view
    var found: [String] = []
    for index in -1...5 {
      guard let value = view.column(at: index) else {
        found.append("none")
        continue
      }
      if let bytes = value.bytes {
        found.append("value \(hex(Array(bytes)))")
      } else {
        found.append(value.isNull ? "null" : value.isUnchanged ? "unchanged" : "?")
      }
    }
    #expect(found == ["none", "value 61", "null", "unchanged", "value 00ff", "value ", "none"])
  }

  @Test("a cursor skips, and stays at the end")
  func cursor() throws {
    var cursor = try Self.row.view.columns
    cursor.skip()
    cursor.skip()
    let third = cursor.next()?.isUnchanged
    #expect(third == true)
    for _ in 0..<3 { cursor.skip() }
    let isAtEnd = cursor.next() == nil
    #expect(isAtEnd)
  }

  @Test("an insert, update and delete are seen alike")
  func rowChanges() throws {
    let relation = RelationID(rawValue: 7)
    let (old, new) = (OwnedTuple([.text("old")]), OwnedTuple([.text("new")]))
    var found: [String] = []
    for bytes in [
      encoded(.insert(Insert(relation: relation, new: try new.view))),
      encoded(.update(Update(relation: relation, new: try new.view))),
      encoded(.update(Update(relation: relation, oldKind: .key, old: try old.view, new: try new.view))),
      encoded(.delete(Delete(relation: relation, oldKind: .full, old: try old.view))),
    ] {
      guard let change = try RowChange(decoding: bytes.rawBytes) else { continue }
      var line = "\(change.kind) \(change.relation) \(change.oldKind)"
      if let tuple = change.old { line += " \(dump(tuple))" }
      if let tuple = change.new { line += " \(dump(tuple))" }
      found.append(line)
    }
    #expect(
      found == [
        "insert 7 none (text:new)", "update 7 none (text:new)", "update 7 key (text:old) (text:new)",
        "delete 7 full (text:old)",
      ])
  }

  @Test("any other message is no row change")
  func others() throws {
    let bytes = hex("45")
    let isNone = try RowChange(decoding: bytes.rawBytes) == nil
    #expect(isNone)
    let error = #expect(throws: DecodeError.self) {
      let extra = encoded(.insert(Insert(relation: RelationID(rawValue: 7), new: try Self.row.view))) + [0]
      _ = try RowChange(decoding: extra.rawBytes)?.kind
    }
    #expect(error?.problem == .trailing(count: 1))
  }

  @Test("bytes are compared exactly, not as Swift compares strings")
  func comparison() {
    let decomposed = Array("Zu\u{308}rich".utf8)
    let (same, canonical) = (
      decomposed.rawBytes.equalsUTF8(of: "Zu\u{308}rich"), decomposed.rawBytes.equalsUTF8(of: "Z\u{FC}rich")
    )
    #expect(same && !canonical)
    let text = decomposed.rawBytes.utf8String
    #expect(text == "Z\u{FC}rich")
    let invalid = hex("ff").rawBytes.utf8String
    #expect(invalid == nil)
  }
}
