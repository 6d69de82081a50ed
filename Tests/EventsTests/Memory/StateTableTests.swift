import Derivation
import Testing

@testable import Events

@Suite("Keys in flat memory") struct StateTableTests {
  @Test("no two keys have one form; what does not fit has none")
  func keys() throws {
    let uuid = "0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9"
    let keys: [[ExactText]] = [
      [""], ["0"], ["", ""], ["0", ""], ["", "0"], ["00"], ["1", "23"], ["12", "3"], ["123"],
      [ExactText(String(repeating: "9", count: 29))], [ExactText(uuid)], [ExactText(uuid), "0"],
      [ExactText(uuid), ExactText(String(repeating: "7", count: 12))],
      [ExactText(bytes: [0xFF] + (0..<16).map { UInt8($0) })],
    ]
    let packed = try keys.map { try #require(PackedKey($0)) }
    #expect(Set(packed.map(\.words)).count == keys.count)
    let long: [[ExactText]] = [
      [], [ExactText(String(repeating: "9", count: 30))], [ExactText(uuid.uppercased())],
      [ExactText(uuid.replacing("-", with: "_"))], [ExactText(uuid), ExactText(uuid)],
      [ExactText(uuid), ExactText(String(repeating: "7", count: 13))],
    ]
    #expect(long.allSatisfy { PackedKey($0) == nil })
  }

  @Test("as a dictionary does it, as long as there is room; then the keys of long ago are forgotten")
  func model() throws {
    var generator = SeededNumbers(7)
    for (most, keys) in [(1 << 17, 2_000), (512, 2_000)] {
      let table = StateTable(most: most)
      var model: [Int: UInt16] = [:]
      var missed = 0
      for step in 0..<60_000 {
        let key = Int.random(in: 0..<keys, using: &generator)
        let packed = try #require(PackedKey([ExactText("\(key)")]))
        let found: UInt16?
        let wanted = model[key]
        if Int.random(in: 0..<4, using: &generator) == 0 {
          found = table.remove(packed)
          model[key] = nil
        } else {
          let number = UInt16(truncatingIfNeeded: step % 65_535 + 1)
          found = table.put(packed, number)
          model[key] = number
        }
        if found == nil, wanted != nil { missed += 1 } else { #expect(found == wanted) }
      }
      #expect(most > keys ? missed == 0 && table.count == model.count : missed > 1_000)
      #expect(table.count <= most && table.bytes <= most * 32)
      if most > keys { #expect(table.bytes < most * 32) }
      table.removeAll()
      #expect(table.count == 0)
    }
  }

  @Test("what was used last is kept longest")
  func order() throws {
    let table = StateTable(most: 64)
    let dear = try #require(PackedKey(["dear"]))
    _ = table.put(dear, 1)
    for key in 0..<5_000 {
      _ = table.put(try #require(PackedKey([ExactText("\(key)")])), 2)
      #expect(table.put(dear, 1) == 1)
    }
    #expect(table.count == 64)
  }
}
