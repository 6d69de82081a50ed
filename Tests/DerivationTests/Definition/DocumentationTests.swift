import Foundation
import Testing

@testable import Derivation

@Suite("docs/slot-definition.md")
struct DocumentationTests {
  private static let text: String = {
    let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent()
    return (try? String(contentsOf: root.appending(path: "docs/slot-definition.md"), encoding: .utf8)) ?? ""
  }()

  @Test("has a row for each key that the reader knows, and for no other")
  func rows() {
    let documented = Self.text.split(separator: "\n").compactMap { line -> String? in
      line.hasPrefix("| `") ? String(line.dropFirst(3).prefix { $0 != "`" }) : nil
    }
    let known = SectionSchema.all.flatMap { section in
      section.keys.map { section.name.isEmpty ? $0 : "\(section.name).\($0)" }
    }
    let sections = Set(SectionSchema.all.map(\.name))
    #expect(Set(documented) == Set(known).subtracting(sections))
    #expect(documented.count == Set(documented).count)
  }

  @Test("has an example that the reader takes, with the defaults that it names")
  func example() throws {
    let blocks = Self.text.components(separatedBy: "```")
    let yaml = try #require(blocks.first { $0.hasPrefix("yaml\n") }).dropFirst(5)
    let read = try SlotDefinition.parse(
      yaml: String(yaml), file: "docs/slot-definition.md", environment: ["CROSSFADE_SOURCE": "dbname=ledger"])
    #expect(read.publication.name == read.slot)
    #expect(read.log == SlotDefinition.Log(directory: "/var/lib/crossfade/transaction-state"))
    #expect(read.confirm == .logged)
    #expect(read.stream == SlotDefinition.Stream())
    #expect(read.write == SlotDefinition.Write())
    #expect(read.backfill == SlotDefinition.Backfill())
    #expect(read.migrate == SlotDefinition.Migrate())
  }
}
