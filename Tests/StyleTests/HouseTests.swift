import Testing

/// The house as it stands.
@Suite("The house keeps its own rules") struct HouseTests {
  @Test("every target imports only the rooms above it in docs/architecture.md")
  func imports() throws {
    let rooms = try SourceTree.rooms()
    #expect(rooms.prefix(4) == ["CLibPQ", "CLZ4", "CZlib", "PGOutput"])
    let targets = try SourceTree.targets()
    #expect(Set(targets).subtracting(rooms).isEmpty)
    for target in targets {
      for file in try SourceTree.files(below: "Sources/\(target)") {
        #expect(StyleRules.imports(file, target: target, rooms: rooms) == [])
      }
    }
  }

  @Test("no source holds what is forbidden")
  func wording() throws {
    let files = try SourceTree.files(below: "Sources")
    #expect(files.count > 200)
    #expect(files.flatMap(StyleRules.wording) == [])
  }

  @Test("no file is longer than 500 lines", arguments: ["Sources", "Tests", "Benchmarks"])
  func length(_ folder: String) throws {
    #expect(try SourceTree.files(below: folder).flatMap(StyleRules.length) == [])
  }

  @Test("every target's root file begins with a sentence of purpose")
  func purpose() throws {
    for target in try SourceTree.targets() {
      let root = try SourceTree.files(below: "Sources/\(target)").first {
        $0.path.lowercased() == "sources/\(target)/\(target).swift".lowercased()
      }
      #expect(StyleRules.purpose(target, root: root) == [])
    }
  }
}
