import PGOutput
import Testing

@Suite("LSN") struct LSNTests {
  @Test(
    "prints as PostgreSQL does, and reads it back",
    arguments: [
      (0, "0/0"), (0x16_B374_D848, "16/B374D848"), (0xFFFF_FFFF, "0/FFFFFFFF"), (0x1_0000_0000, "1/0"),
      (UInt64.max, "FFFFFFFF/FFFFFFFF"), (0xA_0000_000B, "A/B"),
    ] as [(UInt64, String)])
  func prints(_ value: UInt64, _ text: String) {
    #expect(LSN(rawValue: value).description == text)
    #expect(LSN(text)?.rawValue == value)
  }

  @Test("reads lower case and leading zeros, as PostgreSQL does")
  func reads() {
    #expect(LSN("16/b374d848") == LSN(rawValue: 0x16_B374_D848))
    #expect(LSN("00000016/0000000a") == LSN(rawValue: 0x16_0000_000A))
  }

  @Test(
    "refuses what PostgreSQL refuses",
    arguments: [
      "", "/", "0", "0/", "/0", "0/0/0", " 0/0", "0/0 ", "-1/0", "+1/0", "0x1/0", "G/0", "000000001/0",
      "0/123456789", "1/é",
    ])
  func refuses(_ text: String) {
    #expect(LSN(text) == nil)
  }

  @Test("is ordered as a number, also past the halves of 64 bits")
  func compares() throws {
    let ordered = ["0/0", "0/FFFFFFFF", "1/0", "9/FFFFFFFF", "A/0", "7FFFFFFF/FFFFFFFF", "80000000/0"]
    let values = ordered.compactMap { LSN($0) }
    #expect(values.count == ordered.count)
    #expect(values.sorted() == values)
    #expect(Set(values).count == values.count)
    #expect(LSN(rawValue: 10).bytes(since: LSN(rawValue: 4)) == 6)
    #expect(LSN(rawValue: 4).bytes(since: LSN(rawValue: 10)) == 0)
    #expect(!LSN.invalid.isValid)
  }
}
