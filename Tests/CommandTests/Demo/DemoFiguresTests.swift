import Testing

@testable import LocalCluster
@testable import Migration
@testable import crossfade

@Suite("What a demonstration calls a problem") struct DemoFiguresTests {
  /// A demonstration in which all went well.
  private var flawless: DemoFigures {
    var figures = DemoFigures()
    figures.restarts = 1
    figures.verification = Verification()
    figures.oracle = OracleReport(rows: 10, unmapped: 0, findings: [])
    figures.log = DemoFigures.LogAudit()
    figures.lastRun = .exited(0)
    return figures
  }

  @Test("when all went well there is none")
  func flawlessRun() {
    #expect(flawless.problems == [])
    #expect(flawless.mismatches == 0)
  }

  @Test("each thing that is off is told in a sentence of its own")
  func everything() {
    var figures = flawless
    figures.verification?.counts = [.incorrect: 2, .incomplete: 3]
    figures.oracle = OracleReport(
      rows: 10, unmapped: 0, findings: [OracleFinding(check: .incorrect, count: 1, firstKeys: [7])])
    figures.log = DemoFigures.LogAudit(audited: 5, once: 3, lost: 1, surplus: 2, damage: ["torn at byte 9"])
    figures.quarantined = 4
    figures.applicationErrors = ["deadlock detected": 6]
    figures.restarts = 0
    figures.lastRun = .signalled(9)
    #expect(
      figures.problems == [
        "verify: incomplete rows: 3", "verify: incorrect rows: 2",
        "the application's audit: state wrong: 1 row (id 7)",
        "transactions that lack a change in the change log: 1",
        "transactions with a change too many in the change log: 2", "the change log: torn at byte 9",
        "rows in quarantine: 4", "the application, 6 times: deadlock detected",
        "nothing was killed and restarted", "crossfade run, asked to stop, ended with signal 9",
      ])
    #expect(figures.mismatches == 6)
  }

  @Test("a proof that was not made is a problem too")
  func nothingProven() {
    var figures = DemoFigures()
    figures.restarts = 1
    #expect(
      figures.problems == [
        "the rows were not compared with the map",
        "the rows were not compared with the application's audit",
        "the change log was not compared with the application's audit",
        "crossfade run did not stop when asked to",
      ])
  }

  @Test("the log is compared transaction by transaction: what lacks, what is too much, what nobody knows")
  func logAudit() {
    var audit = DemoFigures.LogAudit()
    audit.judge(audited: [1: 2, 2: 1, 3: 1, 4: 3], logged: [1: 2, 2: 2, 4: 2, 9: 1])
    #expect(audit == DemoFigures.LogAudit(audited: 7, once: 2, lost: 2, surplus: 2))
  }
}
