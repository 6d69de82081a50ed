import LocalCluster
import Testing

@testable import Capture

/// The rules once more, said over whole transactions instead of message by message.
@Suite("The framer against a naive model") struct StreamFramerModelTests {
  private struct Transaction {
    var begin: String
    var origins: [String]
    var body: [String]
    var commit: String
    var end: UInt64

    var isOwn: Bool { origins.contains("Oours") || body.first == "Mcrossfade/slot" }
    var stream: [String] { [begin] + origins + body + [commit] }
  }

  private struct History {
    var stream: [String] = []
    var log: [String] = []
    private var carried: [String] = []
    private var told: Set<String> = []

    mutating func add(_ transaction: Transaction) {
      stream += transaction.stream
      if transaction.isOwn {
        // In the script a table is always described with the same words: what the log has been told stays true.
        for word in transaction.body
        where (word.hasPrefix("R") || word.hasPrefix("Y")) && !told.contains(word) {
          carried.removeAll { $0 == word }
          carried.append(word)
        }
        log.append("-\(transaction.end)")
      } else if transaction.body.isEmpty {
        log.append("-\(transaction.end)")
      } else {
        if let first = transaction.body.first { carried.removeAll { $0 == first } }
        let owed = carried.filter { $0.hasPrefix("Y") } + carried.filter { $0.hasPrefix("R") }
        log += [transaction.begin] + transaction.origins + owed + transaction.body + [transaction.commit]
        told.formUnion(carried)
        told.formUnion(transaction.body)
        carried = []
      }
    }

    mutating func addOutside(_ word: String) {
      stream.append(word)
      if !word.hasPrefix("A") { log.append(word) }
    }
  }

  private static func transaction(_ number: UInt64, _ random: inout SeededGenerator) -> Transaction {
    let final = number * 100
    let origins = [[], [], [], ["Oelsewhere"], ["Oours"], ["Oelsewhere", "Oours"], ["Oa", "Ob"]]
    var body: [String] = []
    if Int.random(in: 0..<4, using: &random) == 0 { body.append("Mcrossfade/slot") }
    for _ in 0..<Int.random(in: 0..<5, using: &random) {
      let relation = Int.random(in: 1...4, using: &random)
      let kind =
        ["I", "U", "D", "T", "R", "Y", "Mapp/", "Mcrossfade/slot"].randomElement(using: &random) ?? "I"
      body.append(kind == "Mcrossfade/slot" ? kind : "\(kind)\(relation)")
    }
    return Transaction(
      begin: "B\(final)", origins: origins.randomElement(using: &random) ?? [], body: body,
      commit: "C\(final):\(final + 50)", end: final + 50)
  }

  @Test("two hundred random streams come out as the model says", arguments: 0..<200 as Range<UInt64>)
  func random(_ seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    var history = History()
    for number in 1...30 as ClosedRange<UInt64> {
      switch Int.random(in: 0..<6, using: &random) {
      case 0: history.addOutside("Napp/\(number)")
      case 1: history.addOutside("A0")
      default: history.add(Self.transaction(number, &random))
      }
    }
    #expect(try framed(history.stream.joined(separator: " ")) == history.log.joined(separator: " "))
  }
}
