import Derivation
import LocalCluster
import PGOutput
import Postgres
import Testing

@testable import Migration

@Suite("Verify", .timeLimit(.minutes(10))) struct VerifyTests {
  private let interrupt: Interrupt

  init() throws { interrupt = try #require(Interrupt()) }

  private func verify(
    _ ledger: LedgerDatabase, hasPassed: @escaping (LSN) throws(PostgresError) -> Bool = { _ in true }
  ) throws -> Verification {
    try Verify(
      definition: ledger.definition, connection: ledger.connect(), interrupt: interrupt,
      logger: LedgerDatabase.logger, hasPassed: hasPassed
    ).run()
  }

  private func ledger(_ name: String, rows: String) throws -> LedgerDatabase {
    let ledger = try LedgerDatabase(name)
    _ = try ledger.expand(interrupt)
    try ledger.run("INSERT INTO public.transactions (id, status, state_id) VALUES \(rows)")
    return ledger
  }

  @Test("each way to be wrong is found as what it is, and what is right is not")
  func classes() throws {
    let ledger = try ledger(
      "verify_classes",
      rows: "(1, 'AUTH', 1), (2, 'CAPTURED', 2), (3, 'AUTH', NULL), (4, 'AUTH', 2), (5, 'AUTH', 99), "
        + "(6, 'XXX', NULL), (7, NULL, NULL), (8, 'XXX', 1), (9, 'auth', 98)")
    let result = try verify(ledger)
    #expect(result.rows == 9 && result.mismatches == 7 && result.settled == 0)
    #expect(result.counts == [.incomplete: 1, .incorrect: 2, .orphan: 2, .unmapped: 2])
    #expect(
      result.first.sorted { $0.key < $1.key } == [
        .init(kind: .incomplete, key: #"["3"]"#, from: "AUTH", to: nil),
        .init(kind: .incorrect, key: #"["4"]"#, from: "AUTH", to: "2"),
        .init(kind: .orphan, key: #"["5"]"#, from: "AUTH", to: "99"),
        .init(kind: .unmapped, key: #"["6"]"#, from: "XXX", to: nil),
        .init(kind: .unmapped, key: #"["7"]"#, from: nil, to: nil),
        .init(kind: .incorrect, key: #"["8"]"#, from: "XXX", to: "1"),
        .init(kind: .orphan, key: #"["9"]"#, from: "auth", to: "98"),
      ])
  }

  @Test("a table without a fault has none, with the position it was judged at")
  func right() throws {
    let ledger = try ledger("verify_right", rows: "(1, 'AUTH', 1), (2, 'CAPTURED', 2)")
    let result = try verify(ledger) { _ in
      Issue.record("nothing was suspect, so nothing need be waited for")
      return true
    }
    #expect(result.rows == 2 && result.mismatches == 0)
    #expect(result.witness.flatMap { LSN($0) }?.isValid == true)
  }

  @Test("suspects are judged only when the stream has passed; what came right by then is settled")
  func waits() throws {
    let ledger = try ledger("verify_waits", rows: "(1, 'AUTH', NULL), (2, 'AUTH', 2), (3, 'CAPTURED', NULL)")
    var asked: [LSN] = []
    let result = try verify(ledger) { (position) throws(PostgresError) in
      asked.append(position)
      if asked.count == 3 {
        try ledger.fix(
          "UPDATE public.transactions SET state_id = 1 WHERE id = 1; DELETE FROM public.transactions WHERE id = 3"
        )
      }
      return asked.count == 4
    }
    #expect(asked.count == 4 && Set(asked).count == 1)
    #expect(result.witness == asked.first?.description)
    #expect(result.settled == 2 && result.mismatches == 1)
    #expect(result.first == [.init(kind: .incorrect, key: #"["2"]"#, from: "AUTH", to: "2")])
  }

  @Test("a stop ends the wait for the stream")
  func stopped() throws {
    let ledger = try ledger("verify_stopped", rows: "(1, 'AUTH', NULL)")
    let error = #expect(throws: MigrationError.self) {
      _ = try verify(ledger) { [interrupt] _ in
        interrupt.stop()
        return false
      }
    }
    #expect(error?.description == "stopped while trying to verify")
  }

  @Test("keys of several columns, with any characters, are found again")
  func compositeKeys() throws {
    let ledger = try LedgerDatabase(
      "verify_composite", table: "a text, b bigint, PRIMARY KEY (a, b)", key: ["a", "b"])
    _ = try ledger.expand(interrupt)
    let session = try ledger.connect()
    for (number, text) in ["", #"q"uote"#, #"back\slash"#, "com,ma", "{}", "new\nline", "ä€😀"].enumerated() {
      try session.query(
        "INSERT INTO public.transactions VALUES ($1, $2, 'AUTH', NULL)", [.text(text), .integer(number)],
        purpose: "insert a row")
    }
    #expect(try verify(ledger).counts == [.incomplete: 7])
  }
}

extension LedgerDatabase {
  fileprivate func fix(_ sql: String) throws(PostgresError) {
    let session = try Connection(
      cluster.conninfo(database: name), options: .init(applicationName: "migration test"))
    try session.script(sql, purpose: "fix a row")
  }
}
