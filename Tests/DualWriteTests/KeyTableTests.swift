import LocalCluster
import Testing

@testable import DualWrite

@Suite("The table of keys") struct KeyTableTests {
  private func key(_ columns: [String]) -> [UInt8] {
    columns.flatMap { column in
      withUnsafeBytes(of: UInt32(column.utf8.count)) { [UInt8]($0) } + Array(column.utf8)
    }
  }

  private func add(_ columns: [String], to table: inout KeyTable) -> Int {
    key(columns).withUnsafeBytes { table.index(of: $0) }
  }

  private func columns(_ table: KeyTable, _ index: Int) -> [String] {
    var found: [String] = []
    table.columns(of: table.entries[index]) { column, bytes in
      #expect(column == found.count)
      found.append(String(decoding: bytes, as: UTF8.self))
    }
    return found
  }

  @Test("a key has one place, however often it comes")
  func coalescing() {
    var table = KeyTable(capacity: 4)
    #expect(add(["1"], to: &table) == 0)
    #expect(add(["2"], to: &table) == 1)
    #expect(add(["1"], to: &table) == 0)
    #expect(table.count == 2)
    table.update(0) { $0.derives = true }
    #expect(table.entries[0].derives && !table.entries[1].derives)
  }

  @Test("keys that differ only in where a column ends are different keys")
  func split() {
    var table = KeyTable(capacity: 4)
    let keys = [["a", "bc"], ["ab", "c"], ["abc", ""], ["", "abc"], ["abc"], [""], ["", ""]]
    for (index, key) in keys.enumerated() { #expect(add(key, to: &table) == index) }
    for (index, key) in keys.enumerated() {
      #expect(add(key, to: &table) == index)
      #expect(columns(table, index) == key)
    }
  }

  @Test("it grows far past its first capacity without losing a key")
  func growth() {
    var table = KeyTable(capacity: 1)
    var expected: [String: Int] = [:]
    var random = SeededGenerator(seed: 1)
    for _ in 0..<50_000 {
      let key = "\(UInt64.random(in: 0..<20_000, using: &random))"
      let index = add([key, "x"], to: &table)
      if let known = expected[key] { #expect(index == known) } else { expected[key] = index }
    }
    #expect(table.count == expected.count)
    for (key, index) in expected { #expect(columns(table, index) == [key, "x"]) }
  }

  @Test("emptied, it knows nothing and takes keys anew")
  func removeAll() {
    var table = KeyTable(capacity: 4)
    for number in 0..<1000 { _ = add(["\(number)"], to: &table) }
    table.removeAll()
    #expect(table.count == 0)
    #expect(table.bytes.isEmpty)
    #expect(add(["999"], to: &table) == 0)
    #expect(columns(table, 0) == ["999"])
  }

  @Test("values of any length and any bytes come back as they were")
  func values() {
    var table = KeyTable(capacity: 4)
    let key = [String(repeating: "ä", count: 100_000), "\u{1}\"\\\n"]
    let index = add(key, to: &table)
    #expect(columns(table, index) == key)
  }
}
