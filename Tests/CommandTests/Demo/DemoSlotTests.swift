import Foundation
import Testing

@testable import crossfade

@Suite("The demonstration's slot definition") struct DemoSlotTests {
  @Test("it is the one in slots/, to the byte")
  func sameText() throws {
    let file = URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "../../../slots/transaction-state.yaml")
    #expect(try String(contentsOf: file, encoding: .utf8) == DemoSlot.yaml)
  }
}
