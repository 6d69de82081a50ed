import Testing

@testable import Subscriptions

@Suite("Tokens")
struct TokenTests {
  static let one = String(repeating: "a", count: 32)
  static let two = String(repeating: "b", count: 40)

  @Test("a line is a name, a token and its slots; comments and empty lines are passed over")
  func reading() throws {
    let list = try TokenList("# risk team\nrisk \(Self.one) ledger,cards\n\n  reports\t\(Self.two)  *\n")
    #expect(list.tokens.map(\.name) == ["risk", "reports"])
    let risk = try #require(list.holder(of: Self.one.utf8))
    #expect(risk.allows("ledger") && risk.allows("cards") && !risk.allows("ledge") && !risk.allows("*"))
    #expect(list.holder(of: Self.two.utf8)?.allows("anything") == true)
    #expect(list.holder(of: "".utf8) == nil)
    #expect(list.holder(of: (Self.one + "a").utf8) == nil)
    #expect(list.holder(of: Self.one.dropLast().utf8) == nil)
  }

  @Test("lines may end as Windows ends them")
  func lineEnds() throws {
    let list = try TokenList("# risk team\r\nrisk \(Self.one) ledger\r\n\r\nreports \(Self.two) *\r\n")
    #expect(list.tokens.map(\.name) == ["risk", "reports"])
    let risk = try #require(list.holder(of: Self.one.utf8))
    #expect(risk.allows("ledger") && list.stillAllows(risk, "ledger") && !list.stillAllows(risk, "cards"))
  }

  @Test(
    "a fault names its line, never what stands there",
    arguments: [
      ("risk", 1, "it has 1 words, not 3"),
      ("#\nrisk \(one)", 2, "it has 2 words, not 3"),
      ("risk short *", 1, "the token is not 32 to 256 letters, digits or ._~+/=-"),
      ("risk \(one)\u{e4} *", 1, "the token is not 32 to 256 letters, digits or ._~+/=-"),
      ("risk \(one) *\nother \(one) a", 2, "the same token stands on an earlier line"),
    ])
  func faults(_ text: String, _ line: Int, _ reason: String) {
    #expect(throws: TokenList.Fault(line: line, reason: reason)) { try TokenList(text) }
  }

  @Test("digests are compared whole")
  func comparison() {
    #expect(Token.same([1, 2, 3], [1, 2, 3]))
    #expect(!Token.same([1, 2, 3], [1, 2, 4]))
    #expect(!Token.same([1, 2, 3], [1, 2]))
  }
}
