import Testing

/// Each rule finds what it is there for.
@Suite("The rules of the house can be broken") struct RuleTests {
  private let rooms = SourceTree.rooms(
    in: """
      text
      | target | what lives there |
      |---|---|
      | `CLibPQ`, `CLZ4` | maps |
      | `PGOutput` | `LSN` |
      | `Postgres` | libpq |
      | `ChangeLog` | segments |

      | `Elsewhere` | another table |
      """)

  @Test("the rooms are the first column of the table, in order")
  func table() {
    #expect(rooms == ["CLibPQ", "CLZ4", "PGOutput", "Postgres", "ChangeLog"])
  }

  @Test(
    "an import that points up, sideways into C, or out of the pure room is found",
    arguments: [
      ("PGOutput", "import Glibc", "A.swift imports Glibc: PGOutput imports nothing"),
      ("PGOutput", "public import Postgres", "A.swift imports Postgres: PGOutput imports nothing"),
      (
        "Postgres", "@testable import ChangeLog",
        "A.swift imports ChangeLog, which does not stand above Postgres"
      ),
      (
        "Postgres", "import struct Postgres.LSN",
        "A.swift imports Postgres, which does not stand above Postgres"
      ),
      ("ChangeLog", "package import CLibPQ", "A.swift imports CLibPQ, which is Postgres's alone"),
      ("Postgres", "import CLZ4", "A.swift imports CLZ4, which is ChangeLog's alone"),
      ("Attic", "import Glibc", "Attic is not in docs/architecture.md"),
    ])
  func imports(target: String, line: String, complaint: String) {
    let file = SourceFile(path: "A.swift", text: "// A file.\n\(line)\n")
    #expect(StyleRules.imports(file, target: target, rooms: rooms) == [complaint])
  }

  @Test(
    "imports from above are allowed",
    arguments: [
      ("Postgres", "import CLibPQ"), ("ChangeLog", "public import PGOutput"), ("Postgres", "import Glibc"),
    ])
  func allowed(target: String, line: String) {
    let file = SourceFile(path: "A.swift", text: line)
    #expect(StyleRules.imports(file, target: target, rooms: rooms) == [])
  }

  @Test("each forbidden wording is found with its line", arguments: StyleRules.forbidden.map(\.text))
  func wording(_ text: String) {
    let file = SourceFile(path: "A.swift", text: "let a = 1\nlet b = \(text)x")
    #expect(StyleRules.wording(file).map { $0.prefix(while: { $0 != " " }) } == ["A.swift:2"])
  }

  @Test("a file of 501 lines is too long, one of 500 is not")
  func length() {
    let lines = Array(repeating: "x", count: 500).joined(separator: "\n")
    #expect(StyleRules.length(SourceFile(path: "A.swift", text: lines)) == [])
    #expect(
      StyleRules.length(SourceFile(path: "A.swift", text: lines + "\nx")) == [
        "A.swift has 501 lines, more than 500"
      ])
  }

  @Test("a root file without a sentence, and a missing one, are found")
  func purpose() {
    func root(_ text: String) -> SourceFile { SourceFile(path: "Sources/A/A.swift", text: text) }
    #expect(StyleRules.purpose("A", root: root("// A: what it is for.\n\nimport B")) == [])
    #expect(StyleRules.purpose("A", root: root("/// What it is for.\nenum A {}")) == [])
    #expect(
      StyleRules.purpose("A", root: root("import B\n// A: what it is for.")) == [
        "Sources/A/A.swift does not begin with a sentence of purpose"
      ])
    #expect(StyleRules.purpose("A", root: nil) == ["A has no root file A.swift"])
  }
}
