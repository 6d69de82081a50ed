import PGOutput
import Testing

@testable import DualWrite

@Suite("The account of writers") struct AccountTests {
  private static let day: Int64 = 86_400_000_000

  private func account(_ transactions: [(at: Int64, kinds: [Verdict.Kind])]) -> Account {
    var account = Account()
    for (index, transaction) in transactions.enumerated() {
      var staged = TransactionAccount()
      for (key, kind) in transaction.kinds.enumerated() { staged.note(kind, [UInt8(index), UInt8(key)]) }
      account.add(
        staged, end: LSN(rawValue: UInt64(16 * (index + 1))), at: Timestamp(rawValue: transaction.at))
    }
    return account
  }

  @Test("a change counts for the day of its commit in UTC, also before 2000")
  func days() {
    let account = account([(Self.day - 1, [.old]), (Self.day, [.old]), (-1, [.old, .new])])
    let days = account.cells.keys.filter { $0.kind == .old }.map(\.day).sorted()
    #expect(days == [-1, 0, 1])
  }

  @Test("of those that somebody will look for the last ten keys are kept, the latest first")
  func keys() {
    let account = account((0..<12).map { (Int64($0), [.old, .both]) })
    let old = account.cells[.init(day: 0, kind: .old, application: "")]
    #expect(old?.count == 12)
    #expect(old?.keys == (2..<12).reversed().map { [UInt8($0), 0] })
    #expect(old?.position == LSN(rawValue: 16 * 12))
    #expect(account.cells[.init(day: 0, kind: .both, application: "")]?.keys == [])
  }

  @Test("many changes of one transaction leave ten keys as well")
  func manyInOne() {
    let account = account([(0, Array(repeating: .new, count: 200))])
    let new = account.cells[.init(day: 0, kind: .new, application: "")]
    #expect(new?.count == 200)
    #expect(new?.keys == (190..<200).reversed().map { [0, UInt8($0)] })
  }
}
