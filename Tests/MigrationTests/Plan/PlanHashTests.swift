import Derivation
import Postgres
import Testing

@testable import Migration

@Suite("The plan's hash") struct PlanHashTests {
  static func definition(_ change: (inout SlotDefinition) -> Void = { _ in }) throws -> SlotDefinition {
    var definition = SlotDefinition(
      slot: "states", publication: try Identifier("states"), source: ConnectionString("dbname=ledger"),
      derive: try Fixture.derive(), log: .init(directory: "/nowhere"))
    change(&definition)
    return definition
  }

  static let facts = StepFacts(version: ServerVersion(number: 150_018))

  @Test("is 64 digits, the same each time, and answers to its first twelve or more")
  func form() throws {
    let hash = PlanHash.of(try Self.definition(), facts: Self.facts)
    #expect(hash.description.count == 64)
    #expect(hash.description.allSatisfy { $0.isHexDigit && !$0.isUppercase })
    #expect(hash == PlanHash.of(try Self.definition(), facts: Self.facts))
    #expect(hash.answers(to: hash.short))
    #expect(hash.answers(to: hash.description.uppercased()))
    #expect(!hash.answers(to: String(hash.description.prefix(11))))
    #expect(!hash.answers(to: ""))
    #expect(!hash.answers(to: hash.description + "0"))
    #expect(!hash.answers(to: String(hash.short.reversed())))
  }

  @Test("stays while the plan is carried out, on every minor, and whatever concerns the work alone")
  func stable() throws {
    let hash = PlanHash.of(try Self.definition(), facts: Self.facts)
    let advanced = changed(Self.facts) {
      $0.hasSchema = true
      $0.hasMap = true
      $0.missingTables = []
      $0.missingStates = []
      $0.version = ServerVersion(number: 150_020)
    }
    #expect(PlanHash.of(try Self.definition(), facts: advanced) == hash)
    let others = try Self.definition {
      $0.source = ConnectionString("host=elsewhere dbname=ledger")
      $0.log = .init(directory: "/elsewhere")
      $0.backfill.batch = 7
      $0.migrate.accepted = [.indexBuild]
      $0.migrate.recordsQueries = true
      $0.migrate.indexWorkers = 4
    }
    #expect(PlanHash.of(others, facts: Self.facts) == hash)
  }

  @Test("changes with what would be done")
  func sensitive() throws {
    var hashes = [PlanHash.of(try Self.definition(), facts: Self.facts)]
    let changes: [(inout SlotDefinition) -> Void] = [
      { $0.slot = "other" }, { $0.migrate.index = .before }, { $0.migrate.index = .none },
      { $0.migrate.foreignKey = .none }, { $0.migrate.bridge = .trigger },
      { $0.migrate.lockTimeout = .seconds(1) }, { $0.derive.map.states.removeLast() },
      { $0.derive.key.append($0.derive.from) },
    ]
    for change in changes {
      hashes.append(PlanHash.of(try Self.definition(change), facts: Self.facts))
    }
    let facts: [(inout StepFacts) -> Void] = [
      { $0.idType = "integer" }, { $0.version = ServerVersion(number: 160_000) },
    ]
    for change in facts {
      hashes.append(PlanHash.of(try Self.definition(), facts: changed(Self.facts, change)))
    }
    #expect(Set(hashes).count == hashes.count)
  }

  @Test("every hazard can be accepted in a definition, and nothing else")
  func accepted() {
    #expect(AcceptedHazard.allCases.map(\.rawValue) == Hazard.allCases.map(\.rawValue))
    #expect(AcceptedHazard.allCases.compactMap { Hazard($0) } == Hazard.allCases)
    #expect(Hazard.allCases.allSatisfy { !$0.meaning.isEmpty })
  }

  @Test("no text can pass for two values: each has its length before it")
  func canonical() throws {
    let text = PlanHash.canonical(try Self.definition(), facts: Self.facts)
    #expect(text.hasPrefix("version 1:1\nmajor 2:15\nslot 6:states\npublication 8:\"states\"\n"))
    #expect(text.contains("\nlock 40:ACCESS EXCLUSIVE \"public\".\"transactions\"\n"))
  }
}
