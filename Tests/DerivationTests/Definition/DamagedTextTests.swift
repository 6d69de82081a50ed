import Derivation
import Foundation
import Testing

@Suite("A damaged slot definition")
struct DamagedTextTests {
  /// A generator with a seed (SplitMix64), so that a failure can be seen again.
  private struct Seeded: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
      state &+= 0x9E37_79B9_7F4A_7C15
      var z = state
      z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
      z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
      return z ^ (z >> 31)
    }
  }

  private static let pieces = [
    "\t", ": ", "- ", "{", "}", "[", "]", "\"", "'", "&a ", "*a", "!!int ", "|", ">", "#", "\n", "\n  ", "~",
    "<<: *a\n",
    "${", "$$", "\u{0}", "\u{FEFF}", "\u{E000}", "e\u{301}", "? ", "---\n", "...\n", "%YAML 1.2\n", "id: 1\n",
  ]

  @Test("is told with faults in their order, or stands, and never shows its password", arguments: 0..<8)
  func damage(_ seed: UInt64) {
    var random = Seeded(state: seed)
    let whole = definition(
      replacing: "host=/run/ledger dbname=ledger", with: "postgresql://ledger:hunter2@db/ledger",
      adding: "write: {batch: 5, lock_timeout: 2s}\nconfirm: applied")
    for _ in 0..<400 {
      var text = whole
      for _ in 0...Int.random(in: 0...2, using: &random) {
        let start = text.index(text.startIndex, offsetBy: Int.random(in: 0..<text.count, using: &random))
        let end = text.index(start, offsetBy: Int.random(in: 0...5, using: &random), limitedBy: text.endIndex)
        text.replaceSubrange(
          start..<(end ?? text.endIndex), with: Self.pieces.randomElement(using: &random) ?? "")
      }
      check(text)
    }
  }

  @Test("with aliases of aliases of aliases is read in no time", .timeLimit(.minutes(1)))
  func aliases() {
    var text = definition(adding: "a0: &a0 {x: 1, x: 2}")
    for level in 1...40 { text += "\na\(level): &a\(level) [*a\(level - 1), *a\(level - 1), *a\(level - 1)]" }
    #expect(
      faults(text).hasPrefix(
        """
        slot.yaml:17:1: a0: there is no such key
          hint: known here: `version`, `slot`, `publication`, `source`, `derive`, `log`, `confirm`, `stream`, `write`, `backfill`, `migrate`, `events`, `serve`
        slot.yaml:17:16: a0.x: is given again; it stands on line 17 already
          hint: keep one of them
        slot.yaml:18:1: a1: there is no such key
        """))
  }

  @Test("nested too deep is told so", arguments: ["[", "{a: ", "- "])
  func nesting(_ piece: String) {
    let text = faults("version:\n  " + String(repeating: piece, count: 100_000))
    #expect(text.contains("Maximum nesting level reached"))
  }

  private func check(_ text: String) {
    let lines = text.unicodeScalars.count { $0 == "\n" } + 2
    do throws(DefinitionErrors) {
      _ = try SlotDefinition.parse(yaml: text, file: "f", environment: [:])
    } catch {
      #expect(!error.errors.isEmpty)
      #expect(!error.description.contains("hunter2"), "\(text)")
      for fault in error.errors {
        #expect(fault.file == "f" && (1...lines).contains(fault.line) && fault.column >= 1, "\(text)")
        #expect(!fault.problem.isEmpty && !fault.hint.isEmpty)
      }
      let places = error.errors.map { [$0.line, $0.column] }
      #expect(places == places.sorted { $0.lexicographicallyPrecedes($1) })
    }
  }
}
